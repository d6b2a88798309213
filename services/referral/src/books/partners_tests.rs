//! What a book of partners may say, and what is refused by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

fn read(text: &str) -> Result<PartnerBook, String> {
    PartnerBook::read("as shipped", text, Profile::Production).map_err(|error| chassis::chain(&error))
}

/// One partner, with this in it.
fn partner(id: &str, rest: &str) -> String {
    format!(
        "[[partner]]\nid = \"{id}\"\nforce = \"kent\"\nname = \"N\"\nservices = [\"idva\"]\nphone = \"1\"\n{rest}\n"
    )
}

#[test]
fn the_shipped_partners_can_be_gone_by_and_are_nobodys() {
    let book = read(include_str!("../../partners.toml")).unwrap();
    for force in ["wmp", "kent"] {
        for service in ["idva", "marac", "mash", "encompass", "dvds", "refuge", "victim-support"] {
            assert!(!book.of(&force.parse().unwrap(), service, "").is_empty(), "{force} has no {service}");
        }
    }
    for partner in &book.0 {
        match &partner.route {
            Route::Email { address, .. } => assert!(address.domain().ends_with(".example"), "{address}"),
            Route::Webhook { .. } => panic!("a demonstration has no secret"),
            Route::None => assert_eq!(partner.services, ["refuge"]),
        }
    }
}

#[test]
fn those_of_the_area_come_first_and_another_forces_never() {
    let book = read(include_str!("../../partners.toml")).unwrap();
    let found = |force: &str, postcode: &str| -> Vec<(String, bool)> {
        let found = book.of(&force.parse().unwrap(), "idva", postcode);
        found.into_iter().map(|(partner, in_area)| (partner.id.clone(), in_area)).collect()
    };
    let pair =
        |first: (&str, bool), then: (&str, bool)| vec![(first.0.to_owned(), first.1), (then.0.to_owned(), then.1)];
    assert_eq!(found("kent", "CT2 7NF"), pair(("kent-idva-east", true), ("kent-idva-west", false)));
    assert_eq!(found("kent", "me14"), pair(("kent-idva-west", true), ("kent-idva-east", false)));
    // A district of one that the other has the area of.
    assert_eq!(found("kent", "TN24 8UU"), pair(("kent-idva-east", true), ("kent-idva-west", true)));
    assert_eq!(found("kent", ""), pair(("kent-idva-east", false), ("kent-idva-west", false)));
    assert_eq!(found("wmp", "B1 1AA"), [("wmp-idva".to_owned(), true)]);
    assert!(book.get(&"wmp".parse().unwrap(), "kent-idva-east").is_none());
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (garbage, short) = (file("garbage.pem", "garbage"), file("short", "whsec_c2hvcnQ="));
    let secret = file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let route = |route: &str| partner("p", &format!("route = {{ {route} }}"));
    let cases = [
        (partner("p", "") + &partner("p", ""), "partner p: the id is there twice"),
        (partner("P!", ""), "partner P!: an id is"),
        (partner("p", "areas = [\"Canterbury\"]"), "no postcode area"),
        (partner("p", "").replace("[\"idva\"]", "[]"), "no service"),
        (partner("p", "").replace("[\"idva\"]", "[\"Idva!\"]"), "is no service"),
        (partner("p", "").replace("\"kent\"", "\"KENT\""), "force"),
        (partner("p", "").replace("phone = \"1\"", "phone = \" \""), "a phone number"),
        (partner("p", "colour = \"red\""), "colour"),
        (route("email = \"a@b.example\""), "needs `certificate`, or `secure_mail = true`"),
        (route("email = \"a@b.example\", secure_mail = false"), "needs `certificate`"),
        (route("email = \"nobody\", secure_mail = true"), "the e-mail address is none"),
        (route("email = \"a@b.example\\nBcc: c@d.example\", secure_mail = true"), "the e-mail address is none"),
        (route("email = \"a@b.example\", certificate = \"/none.pem\""), "/none.pem"),
        (route(&format!("email = \"a@b.example\", certificate = \"{garbage}\"")), "garbage.pem"),
        (route(&format!("webhook = \"http://p.example/\", secret_file = \"{secret}\"")), "https"),
        (route(&format!("webhook = \"https://me:pw@p.example/\", secret_file = \"{secret}\"")), "no password"),
        (route("webhook = \"https://p.example/\", secret_file = \"/none\""), "/none"),
        (route(&format!("webhook = \"https://p.example/\", secret_file = \"{short}\"")), "24 to 64 bytes"),
        (route("webhook = \"https://p.example/\""), "as shipped is refused"),
    ];
    for (text, wrong) in cases {
        let said = read(&text).expect_err(wrong);
        assert!(said.contains(wrong), "{said:?} says nothing of {wrong:?}");
        assert!(!said.contains("c2hvcnQ"), "a secret is shown");
    }
    let good = route(&format!("webhook = \"https://p.example/\", secret_file = \"{secret}\""));
    let book = read(&good).unwrap();
    assert!(!format!("{book:?}").contains("31f2"), "the key is shown");
    // On one's own machine.
    assert!(PartnerBook::read("as shipped", &good.replace("https:", "http:"), Profile::Dev).is_ok());
}
