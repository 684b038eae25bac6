//! The machine's model: vendor and product by DMI (`/sys/class/dmi/id`, SMBIOS types 1 and 2), else the device
//! tree's `model` (`/sys/firmware/devicetree/base/model`).
//!
//! Firmware that was never filled in says so in a dozen ways, none of which is a model. A self-built machine
//! has such a product and a true main board, so the board stands in for it. Serial numbers and UUIDs, which
//! stand in the same directory, are not read.

use super::told;
use door::{Buffer, Root};
use schema::label::text;

/// What vendors leave in the fields that they do not fill in, in small letters.
const PLACEHOLDERS: &[&str] = &[
    "to be filled by o.e.m.",
    "o.e.m.",
    "oem",
    "default string",
    "system product name",
    "system manufacturer",
    "system vendor",
    "system name",
    "product name",
    "base board product name",
    "base board manufacturer",
    "board vendor name",
    "board name",
    "manufacturer",
    "type1productconfigid",
    "type2 - board product name1",
    "type2 - board vendor name1",
    "not specified",
    "not applicable",
    "not available",
    "no enclosure",
    "no string",
    "undefined",
    "unknown",
    "unknow",
    "invalid",
    "empty",
    "none",
    "null",
    "n/a",
    "na",
];

/// The model, or nothing where the machine does not tell.
pub(super) fn read(sysfs: &Root, buffer: &mut Buffer) -> String {
    for (vendor, product) in [("sys_vendor", "product_name"), ("board_vendor", "board_name")] {
        let mut field = |name| {
            let path = format!("class/dmi/id/{name}");
            told(sysfs, &path, buffer).and_then(meaningful)
        };
        if let Some(product) = field(product) {
            return joined(field(vendor), product);
        }
    }
    let tree = told(sysfs, "firmware/devicetree/base/model", buffer).and_then(meaningful);
    tree.into_iter().collect()
}

/// What a field says, unless it is a placeholder. Fields end in a newline (DMI) or a NUL (device tree).
fn meaningful(field: &[u8]) -> Option<String> {
    let field = field.split(|byte| *byte == 0).next()?;
    let field = text(field.trim_ascii());
    let placeholder = PLACEHOLDERS.iter().any(|placeholder| field.eq_ignore_ascii_case(placeholder));
    // `...`, `0000`, `xxx`, `123456789`: a model has letters, and not one letter alone.
    let mut letters = field.chars().filter(|c| c.is_alphabetic()).map(|c| c.to_ascii_lowercase());
    let first = letters.next();
    let digits = field.chars().any(|c| c.is_ascii_digit());
    let said = first.is_some() && (digits || letters.any(|letter| Some(letter) != first));
    (said && !placeholder).then(|| field.into_owned())
}

/// The vendor before the product, unless the product begins with its first word anyway.
fn joined(vendor: Option<String>, product: String) -> String {
    let Some(vendor) = vendor else { return product };
    let word = match vendor.split_once(' ') {
        Some((word, _)) => word,
        None => &vendor,
    };
    match product.get(..word.len()) {
        Some(start) if start.eq_ignore_ascii_case(word) => product,
        _ => format!("{vendor} {product}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_field_ends_in_a_newline_or_a_nul() {
        assert_eq!(meaningful(b"PowerEdge R750\n").unwrap(), "PowerEdge R750");
        assert_eq!(
            meaningful(b"Raspberry Pi 4 Model B Rev 1.4\0").unwrap(),
            "Raspberry Pi 4 Model B Rev 1.4"
        );
        assert_eq!(meaningful(b" 20QDS3A200 \n").unwrap(), "20QDS3A200");
        assert_eq!(meaningful(b"X1\xff\n").unwrap(), "X1\u{fffd}");
    }

    #[test]
    fn what_was_never_filled_in_is_no_model() {
        let long = vec![b'x'; 1 << 20];
        for field in [
            &b"To Be Filled By O.E.M.\n"[..],
            b"To be filled by O.E.M.\n",
            b"System Product Name\n",
            b"Default string\n",
            b"None\n",
            b"\n",
            b"",
            b"\0\0",
            b"...\n",
            b"0000000000\n",
            b"XXXXXX\n",
            &long,
        ] {
            assert_eq!(meaningful(field), None);
        }
    }

    #[test]
    fn a_vendor_stands_before_a_product_once() {
        let of = |vendor: &str, product: &str| joined(Some(vendor.into()), product.into());
        assert_eq!(of("LENOVO", "20QDS3A200"), "LENOVO 20QDS3A200");
        assert_eq!(of("Dell Inc.", "PowerEdge R750"), "Dell Inc. PowerEdge R750");
        assert_eq!(of("HP", "HP EliteBook 840 G5"), "HP EliteBook 840 G5");
        assert_eq!(of("NVIDIA", "NVIDIA_DGX_Spark"), "NVIDIA_DGX_Spark");
        assert_eq!(of("Intel(R) Client Systems", "NUC"), "Intel(R) Client Systems NUC");
        assert_eq!(joined(None, "NUC".into()), "NUC");
        assert_eq!(of("é", "e"), "é e");
    }

    mod read {
        use crate::os::SPEC;
        use crate::replay::replay;

        fn model(entries: &str) -> String {
            let shown = replay(&SPEC, entries);
            let (_, model) = shown.split_once("model=\"").unwrap();
            model.split_once('"').unwrap().0.to_owned()
        }

        #[test]
        fn a_self_built_machine_is_its_main_board() {
            let entries = "\
== 1 file sys/class/dmi/id/sys_vendor ok text
ASUS
== 1 file sys/class/dmi/id/product_name ok text
System Product Name
== 1 file sys/class/dmi/id/board_vendor ok text
ASUSTeK COMPUTER INC.
== 1 file sys/class/dmi/id/board_name ok text
ProArt X870E-CREATOR WIFI
";
            assert_eq!(model(entries), "ASUSTeK COMPUTER INC. ProArt X870E-CREATOR WIFI");
        }

        #[test]
        fn a_machine_without_dmi_is_what_its_device_tree_says() {
            let entries = "\
== 1 file sys/class/dmi/id/product_name 2
== 1 file sys/class/dmi/id/board_name 2
== 1 file sys/firmware/devicetree/base/model ok hex
52617370626572727920506920352042
00
";
            assert_eq!(model(entries), "Raspberry Pi 5 B");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_model_or_none(bytes: Vec<u8>, product in "\\PC{0,20}", vendor in "\\PC{0,20}") {
            let _ = meaningful(&bytes);
            prop_assert!(joined(Some(vendor), product.clone()).ends_with(&product));
        }
    }
}
