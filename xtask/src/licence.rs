//! Licence expressions, as crates state them: SPDX (`A OR B`, `A AND B`, `A WITH X`, parentheses), and the older
//! `A/B`, which means OR.

/// True if these licences are enough to use what is under this expression. An expression that is not understood
/// is not enough.
pub(crate) fn permits(allowed: &[&str], expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { allowed, words: &words };
    reader.any() == Some(true) && reader.words.is_empty()
}

struct Reader<'a> {
    allowed: &'a [&'a str],
    words: &'a [&'a str],
}

impl<'a> Reader<'a> {
    /// `A OR B`, where OR binds the least.
    fn any(&mut self) -> Option<bool> {
        let mut enough = self.all()?;
        while self.take("OR") {
            enough |= self.all()?;
        }
        Some(enough)
    }

    fn all(&mut self) -> Option<bool> {
        let mut enough = self.one()?;
        while self.take("AND") {
            enough &= self.one()?;
        }
        Some(enough)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let enough = self.any()?;
            return self.take(")").then_some(enough);
        }
        let name = self.next()?;
        if self.take("WITH") {
            // An exception only gives more rights, and is allowed with its licence or by its full name.
            let full = format!("{name} WITH {}", self.next()?);
            return Some(self.allowed.contains(&name) || self.allowed.contains(&full.as_str()));
        }
        Some(self.allowed.contains(&name))
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.words.first() == Some(&word);
        if there {
            self.next();
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [&str; 3] = ["MIT", "Apache-2.0", "Unicode-3.0"];

    #[test]
    fn one_of_several_is_enough() {
        assert!(permits(&ALLOWED, "GPL-3.0 OR MIT"));
        assert!(permits(&ALLOWED, "MIT/GPL-3.0"));
    }

    #[test]
    fn all_of_several_are_needed() {
        assert!(permits(&ALLOWED, "(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!permits(&ALLOWED, "MIT AND GPL-3.0"));
    }

    #[test]
    fn an_exception_goes_with_its_licence() {
        assert!(permits(&ALLOWED, "Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
    }

    #[test]
    fn what_is_not_understood_is_not_enough() {
        for expression in ["", "(MIT", "MIT MIT", "MIT OR"] {
            assert!(!permits(&ALLOWED, expression), "{expression}");
        }
    }
}
