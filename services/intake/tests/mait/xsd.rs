//! The XSD is the table: it is made from it, and another maker's validator takes and refuses what our reader does.

use std::{fmt::Write, fs, process::Command};

use intake::mait::{
    read::read,
    schema::{Field, Group, HEADER, Kind, NAMESPACE, Needed, Part, ROOT},
};

use super::{
    fields::{misshapen, saying},
    samples::{bad, complete, fields_of, full, good, plain, xml},
};

fn committed() -> std::path::PathBuf {
    testkit::workspace().join("services/intake/mait/alcove-mait-1.0.xsd")
}

#[test]
fn the_xsd_is_made_from_the_table() {
    let made = xsd();
    if std::env::var("ALCOVE_GOLDEN").is_ok_and(|golden| golden == "write") {
        fs::write(committed(), &made).unwrap();
    }
    assert_eq!(fs::read_to_string(committed()).unwrap(), made, "ALCOVE_GOLDEN=write writes it");
}

#[test]
fn another_makers_validator_agrees_with_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let mut texts: Vec<String> = misshapen().into_iter().map(|(text, _)| text).collect();
    texts.extend([xml(&plain("m-1", "1")), xml(&full("m-1", "1"))]);
    for kind in Kind::ALL {
        let whole = complete(kind);
        texts.push(xml(&whole));
        for field in fields_of(kind) {
            let values = [good(field), bad(field)].concat();
            // A carriage return that isn't written by its number is a line feed to everybody.
            texts.extend(values.iter().map(|value| saying(&whole, field, &value.replace("\r\n", "\n"))));
            texts.push(xml(&whole.clone().with(field, good(field).remove(0))));
        }
    }
    let mut taken = 0;
    for (number, text) in texts.iter().enumerate() {
        let verdict = if read(text.as_bytes()).is_ok() { "taken" } else { "refused" };
        taken += usize::from(verdict == "taken");
        fs::write(folder.path().join(format!("{number}.{verdict}.xml")), text).unwrap();
    }
    assert!(taken > 100 && texts.len() - taken > 300, "{taken} of {}", texts.len());
    let validator = Command::new(testkit::workspace().join("target/tools/venv/bin/python"))
        .arg(testkit::workspace().join("tests/foreign/validate_xml.py"))
        .args([committed(), folder.path().to_owned()])
        .output()
        .expect("`make tools` installs it");
    assert!(validator.status.success(), "{}", String::from_utf8_lossy(&validator.stderr));
    assert_eq!(String::from_utf8_lossy(&validator.stdout).trim(), format!("{} messages, all agreed", texts.len()));
}

fn xsd() -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str("<!-- Made from services/intake/src/mait/schema.rs by its test; ALCOVE_GOLDEN=write writes it. The names are Alcove's\n");
    out.push_str(
        "     own until they have been checked against the published MAIT 1.0: see services/intake/README.md. -->\n",
    );
    writeln!(
        out,
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns=\"{NAMESPACE}\" targetNamespace=\"{NAMESPACE}\""
    )
    .unwrap();
    out.push_str("           elementFormDefault=\"qualified\">\n");
    writeln!(out, "  <xs:element name=\"{ROOT}\">\n    <xs:complexType>\n      <xs:sequence>").unwrap();
    writeln!(out, "        <xs:element name=\"{0}\" type=\"{0}\"/>\n        <xs:choice>", HEADER.element).unwrap();
    for kind in Kind::ALL {
        writeln!(out, "          <xs:element name=\"{0}\" type=\"{0}\"/>", kind.group().element).unwrap();
    }
    out.push_str("        </xs:choice>\n      </xs:sequence>\n    </xs:complexType>\n  </xs:element>\n");
    group(&mut out, &HEADER);
    for kind in Kind::ALL {
        group(&mut out, kind.group());
    }
    for field in Field::ALL {
        let rule = field.rule();
        writeln!(out, "  <xs:simpleType name=\"{}\">\n    <xs:restriction base=\"xs:string\">", rule.element).unwrap();
        writeln!(out, "      <xs:maxLength value=\"{}\"/>", rule.longest).unwrap();
        writeln!(out, "      <xs:pattern value=\"{}\"/>", rule.shape.pattern()).unwrap();
        out.push_str("    </xs:restriction>\n  </xs:simpleType>\n");
    }
    out.push_str("</xs:schema>\n");
    out
}

fn group(out: &mut String, group: &Group) {
    writeln!(out, "  <xs:complexType name=\"{}\">\n    <xs:sequence>", group.element).unwrap();
    for part in group.parts {
        let least = if part.needed() == Needed::Always { "" } else { " minOccurs=\"0\"" };
        writeln!(out, "      <xs:element name=\"{0}\" type=\"{0}\"{least}/>", part.element()).unwrap();
    }
    out.push_str("    </xs:sequence>\n  </xs:complexType>\n");
    for part in group.parts {
        if let Part::Group(inner, _) = part {
            self::group(out, inner);
        }
    }
}
