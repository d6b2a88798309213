//! The commands that check what is left of a disposed exhibit with standard tools: the seal as far as it can be, and the tombstone.

use crate::package::verify_text::{Facts, INTRODUCTION, Section, as_signed, later, numbered, section};

/// Where the tombstone has what the seal has elsewhere.
const MOVED: [(&str, &str); 4] = [
    ("proof/seal.", "proof/tombstone."),
    ("bag/tagmanifest-sha256.txt", "proof/tombstone.json"),
    ("proof/log-entry.txt", "proof/tombstone-log-entry.txt"),
    ("alcove seal v1", "alcove tombstone v1"),
];

/// `facts` tell of the seal, `buried` of the tombstone.
pub fn text(facts: &Facts<'_>, buried: &Facts<'_>) -> String {
    let of_tombstone = |(title, body): Section| {
        let body = MOVED.iter().fold(body, |body, (from, to)| body.replace(from, to));
        (format!("THE TOMBSTONE. {title}"), body)
    };
    let mut sections = vec![
        section("Every file that is left is as listed (prints OK for each)", FILES),
        section(
            "Nothing was added, and only recordings and items are gone: these two commands must print the same list",
            NOTHING_ELSE_GONE,
        ),
        as_signed("The list", facts),
    ];
    sections.extend(later(facts, sections.len()));
    sections.push(section(
        "THE TOMBSTONE. It is of this exhibit and of this very seal (prints \"tombstone OK\" and what it says)",
        NAMES_THIS,
    ));
    sections.push(of_tombstone(as_signed("It", buried)));
    sections.extend(later(buried, sections.len()).into_iter().map(of_tombstone));
    format!(
        "HOW TO VERIFY WHAT IS LEFT OF EXHIBIT {}\n\n{DISPOSED}\n{INTRODUCTION}\n{}{NOT_PROVED}",
        facts.reference,
        numbered(&sections)
    )
}

const DISPOSED: &str = "\
This exhibit was DISPOSED OF: its recordings and items were destroyed by decision, and can no longer be checked. What is left proves
what was sealed, who decided that it may go, and when. `proof/tombstone.json` says who and why.
";

const FILES: &str = "    (cd bag && sha256sum --strict -c tagmanifest-sha256.txt)
    (cd bag && sha256sum --strict --ignore-missing -c manifest-sha256.txt)
    sha256sum --strict -c proof/checksums-sha256.txt
";

const NOTHING_ELSE_GONE: &str = "    (cd bag && find . ! -type d ! -name tagmanifest-sha256.txt | LC_ALL=C sort)
    (cd bag && cat tagmanifest-sha256.txt manifest-sha256.txt | cut -c67- | grep -Ev '^data/(tracks|items)/' | sed 's,^,./,' | LC_ALL=C sort)
";

/// A quotation mark inside of a JSON text has a backslash before it: what somebody gave as a reason can't look like a field.
const NAMES_THIS: &str = r#"    exhibit=$(sed -n 's/^Internal-Sender-Identifier: //p' bag/bag-info.txt)
    seal=$(sha256sum < proof/seal.p7s | cut -c-64)
    says() { grep -qF "\"$1\":\"$2\"" proof/tombstone.json; }
    says exhibit "$exhibit" && says seal_sha256 "$seal" && echo tombstone OK
    sed 's/[,{]"/\n&/g' proof/tombstone.json | cat -v; echo

Two different people must be named under `reviews`.
"#;

const NOT_PROVED: &str = "
`alcove-verify` does all of this at once, and says in plain words what it proved. The folder `access` came after the seal:
`alcove-verify` checks it too.

What this does not prove: what the recordings and items held, beyond their digests in `bag/data/manifest.json`, with which a copy that
turns up can be compared; that nothing of them was kept elsewhere; whether certificates had been revoked. The files in `proof` other
than signatures, timestamps, tombstone and log proofs are not signed: `checksums-sha256.txt` only guards against accidents.
";
