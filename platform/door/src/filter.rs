//! Which items a collector shows, by a pattern that includes and one that excludes, as people know them from
//! node_exporter; but a pattern must match the whole of a name. It stands here because every system's collectors
//! choose in the same way.

use regex_lite::Regex;
use schema::{Error, Setting, Settings};

/// What is shown, by name.
#[derive(Debug)]
pub struct Filter {
    include: Option<Regex>,
    exclude: Option<Regex>,
}

impl Filter {
    /// As these two settings have it. An exclusion that nobody asked for does not stand against an inclusion that
    /// somebody did.
    ///
    /// # Errors
    /// `Refused` for what is not a regular expression.
    pub fn of(settings: &Settings, include: &Setting, exclude: &Setting) -> Result<Filter, Error> {
        let included = pattern(settings, include)?;
        let by_default = settings.said(exclude.key).is_none();
        let excluded = if included.is_some() && by_default { None } else { pattern(settings, exclude)? };
        Ok(Filter { include: included, exclude: excluded })
    }

    /// True for a name that is to be shown.
    pub fn passes(&self, name: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(name))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(name))
    }

    /// True where somebody said what to include.
    pub fn selects(&self) -> bool {
        self.include.is_some()
    }
}

/// A dot also matches a newline, which a path may have.
fn pattern(settings: &Settings, setting: &Setting) -> Result<Option<Regex>, Error> {
    let Some(text) = settings.text(setting).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Regex::new(&format!("(?s)^(?:{text})$")).map(Some).map_err(|error| Error::Refused {
        path: format!("--{} {text:?} ({error})", setting.key).into(),
        rule: "not a regular expression",
    })
}
