//! The version of macOS: sysctl(3) `kern.osproductversion` (10.13.4 and later).
//!
//! A program that was linked against an older SDK is told a version that never was, so that what it decides by the
//! first number stays right: 10.16 instead of 11 and later, 16 instead of 26 and later. Both the value and
//! SystemVersion.plist answer so; the file `.SystemVersionPlatform.plist` beside that tells everybody the same.

use crate::question::Question;
use crate::raw::until_nul;
use door::{Buffer, Doors, Shape};
use schema::label::text;

/// Below the root.
const PLATFORM: &str = "System/Library/CoreServices/.SystemVersionPlatform.plist";

/// The version; None where this system does not tell.
pub(super) fn read(doors: &Doors) -> Option<String> {
    let told = Question::sysctl(doors, "kern.osproductversion")
        .ask(|raw| Ok(text(until_nul(raw.0)).into_owned()))
        .ok()?;
    if !never_was(&told) {
        return Some(told);
    }
    let mut buffer = Buffer::default();
    let contents = doors.rootfs.file(PLATFORM, Shape::Attr).read(&mut buffer).ok()?.to_vec();
    version(&text(&contents))
}

/// True for the versions that old programs are told.
fn never_was(version: &str) -> bool {
    version == "10.16" || version.split('.').next() == Some("16")
}

/// The string behind the key `ProductVersion` of a property list in XML. It is not a parser of either.
fn version(plist: &str) -> Option<String> {
    let (_, rest) = plist.split_once("<key>ProductVersion</key>")?;
    let (version, _) = rest.trim_start().strip_prefix("<string>")?.split_once("</string>")?;
    let digits = version.chars().all(|c| c.is_ascii_digit() || c == '.');
    (digits && !version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{doors, text_entry};
    use proptest::prelude::*;

    const PLIST: &str = "<plist version=\"1.0\">\n<dict>\n\t<key>ProductBuildVersion</key>\n\
        \t<string>26A5</string>\n\t<key>ProductVersion</key>\n\t<string>27.0.1</string>\n</dict>\n</plist>\n";

    fn shown(told: &str, file: &str) -> Option<String> {
        let file = format!("== 1 file root/{PLATFORM} {file}");
        read(&doors(&[text_entry("sysctl", "kern.osproductversion", told), file].concat()))
    }

    #[test]
    fn a_version_that_never_was_is_looked_up_where_everybody_is_told_the_same() {
        let file = format!("ok text\n{PLIST}");
        assert_eq!(shown("16.0", &file).as_deref(), Some("27.0.1"));
        assert_eq!(shown("10.16", &file).as_deref(), Some("27.0.1"));
        assert_eq!(shown("16.0", "13\n"), None, "and it is not shown where it cannot be");
        assert_eq!(shown("16.0", "ok text\n<plist/>\n"), None);
    }

    #[test]
    fn another_version_is_what_the_kernel_says() {
        for told in ["10.15.7", "11.7", "15.6.1", "26.1", "27.0.1"] {
            assert_eq!(shown(told, "13\n").as_deref(), Some(told));
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_version_or_none(text in "(<key>ProductVersion</key>|<string>|</string>|.{0,9}){0,6}") {
            let _ = version(&text);
        }
    }
}
