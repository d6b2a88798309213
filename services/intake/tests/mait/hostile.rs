//! XML that was made to do harm.

use intake::mait::{flaw::Flaw, read::read, schema::LARGEST};

use super::samples::{full, xml};

#[test]
fn hostile_xml_is_refused() {
    let good = xml(&full("m-1", "1"));
    assert!(read(good.as_bytes()).is_ok());
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let after = |inserted: &str| good.replacen(declaration, &format!("{declaration}{inserted}"), 1);
    let details = |inside: &str| good.replacen("<Details>words of the caller<", &format!("<Details>{inside}<"), 1);

    let laughs: String = (1..10).fold(String::from("<!ENTITY l0 \"ha\">"), |laughs, n| {
        format!("{laughs}<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))
    });
    let laughing = |text: String| text.replacen(declaration, &format!("{declaration}<!DOCTYPE MAIT [{laughs}]>"), 1);
    let deep = |n: usize| format!("{}{}", "<x>".repeat(n), "</x>".repeat(n));
    let not_utf8 = [&good.as_bytes()[..60], b"\xff\xfe".as_slice(), &good.as_bytes()[60..]].concat();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let many = "<Details>x</Details>".repeat(10_000);
    let padded = |size: usize| good.replacen("<Details>", &format!("{}<Details>", " ".repeat(size - good.len())), 1);

    let refused: Vec<(&str, Vec<u8>, Flaw)> = vec![
        ("a billion laughs", laughing(details("&l9;")).into(), Flaw::DocumentType),
        (
            "an entity of a file",
            {
                let text = after("<!DOCTYPE MAIT [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>");
                text.replacen("words of the caller", "&x;", 1).into()
            },
            Flaw::DocumentType,
        ),
        (
            "a parameter entity",
            after("<!DOCTYPE MAIT [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/x\"> %x;]>").into(),
            Flaw::DocumentType,
        ),
        (
            "a document type elsewhere",
            after("<!DOCTYPE MAIT SYSTEM \"http://127.0.0.1:1/x.dtd\">").into(),
            Flaw::DocumentType,
        ),
        ("an empty document type", after("<!DOCTYPE MAIT>").into(), Flaw::DocumentType),
        ("an entity that nobody declared", details("&secret;").into(), Flaw::Entity),
        ("an entity of HTML", details("&nbsp;").into(), Flaw::Entity),
        ("a stylesheet", after("<?xml-stylesheet href=\"http://127.0.0.1:1/x.xsl\"?>").into(), Flaw::Instruction),
        ("an instruction inside", details("<?php exit ?>").into(), Flaw::Instruction),
        ("a second declaration", after(declaration).into(), Flaw::Instruction),
        ("a declaration that isn't first", format!("\n{good}").into(), Flaw::Instruction),
        ("another encoding", good.replacen("UTF-8", "ISO-8859-1", 1).into(), Flaw::Encoding),
        ("UTF-16 by its word alone", good.replacen("UTF-8", "UTF-16", 1).into(), Flaw::Encoding),
        ("UTF-7", good.replacen("UTF-8", "UTF-7", 1).into(), Flaw::Encoding),
        ("invalid UTF-8", not_utf8, Flaw::Encoding),
        ("UTF-16", [b"\xff\xfe".as_slice(), &utf16].concat(), Flaw::Encoding),
        ("UTF-16 without its mark", utf16, Flaw::Character),
        ("XML 1.1", good.replacen("1.0", "1.1", 1).into(), Flaw::Malformed),
        ("a NUL", details("a\0b").into(), Flaw::Character),
        ("a NUL by its number", details("a&#0;b").into(), Flaw::Character),
        ("a control character", details("a\u{1}b").into(), Flaw::Character),
        ("a control character by its number", details("a&#x1b;b").into(), Flaw::Character),
        ("half a surrogate by its number", details("&#xd800;").into(), Flaw::Character),
        ("a number beyond Unicode", details("&#99999999999;").into(), Flaw::Character),
        ("what is no character", details("\u{ffff}").into(), Flaw::Character),
        ("an unclosed element", good.replacen("</MAIT>", "", 1).into(), Flaw::Malformed),
        ("another one's end", good.replacen("</Details>", "</Detail>", 1).into(), Flaw::Malformed),
        ("an unclosed tag", good.replacen("</MAIT>", "</MAIT", 1).into(), Flaw::Malformed),
        ("an unclosed comment", good.replacen("</MAIT>", "<!--", 1).into(), Flaw::Malformed),
        ("an unclosed section", details("<![CDATA[").into(), Flaw::Malformed),
        ("the end of a section", details("]]>").into(), Flaw::Malformed),
        ("an ampersand alone", details("fish & chips").into(), Flaw::Malformed),
        ("two roots", format!("{good}<MAIT xmlns=\"urn:alcove:mait:1.0\"/>").into(), Flaw::Malformed),
        ("two messages", format!("{good}{}", good.replacen(declaration, "", 1)).into(), Flaw::Malformed),
        ("words after the end", format!("{good}words").into(), Flaw::Malformed),
        ("words before the beginning", after("words").into(), Flaw::Malformed),
        ("another root", good.replace("MAIT", "MIAT").into(), Flaw::Missing("MAIT")),
        ("an attribute", good.replacen("<Details>", "<Details x=\"1\">", 1).into(), Flaw::Attribute("Details")),
        (
            "an attribute twice",
            good.replacen("<MAIT ", "<MAIT xmlns:a=\"b\" xmlns:a=\"b\" ", 1).into(),
            Flaw::Malformed,
        ),
        (
            "a schema elsewhere",
            {
                let location = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"u http://127.0.0.1:1/\" ";
                good.replacen("<MAIT ", &format!("<MAIT {location}"), 1).into()
            },
            Flaw::Attribute("MAIT"),
        ),
        ("elements in a field", details("<b>bold</b>").into(), Flaw::Unknown("Details")),
        (
            "an included file",
            details("<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"/etc/passwd\"/>").into(),
            Flaw::Namespace,
        ),
        ("elements in elements", details(&deep(10_000)).into(), Flaw::Unknown("Details")),
        (
            "places in places",
            good.replacen("<Latitude>", &format!("{}<Latitude>", "<Location>".repeat(10_000)), 1).into(),
            Flaw::Unknown("Location"),
        ),
        ("too many bytes", padded(LARGEST + 1).into(), Flaw::TooLarge),
        ("many elements", good.replacen("<Details>", &format!("{many}<Details>"), 1).into(), Flaw::Repeated("Details")),
        ("nothing", vec![], Flaw::Malformed),
        ("not XML", b"{\"incident\": 1}".to_vec(), Flaw::Malformed),
        ("white space", b" \n ".to_vec(), Flaw::Malformed),
    ];
    for (what, bytes, flaw) in refused {
        assert_eq!(read(&bytes).err(), Some(flaw), "{what}");
    }
    assert!(read(padded(LARGEST).as_bytes()).is_ok(), "as large as may be");
    let namespaces: String = (0..200).map(|n| format!("xmlns:n{n}=\"urn:{n}\" ")).collect();
    assert!(read(good.replacen("<MAIT ", &format!("<MAIT {namespaces}"), 1).as_bytes()).is_err());
    let attributes: String = (0..20_000).map(|n| format!("a{n}=\"\" ")).collect();
    assert!(read(good.replacen("<MAIT ", &format!("<MAIT {attributes}"), 1).as_bytes()).is_err());
}
