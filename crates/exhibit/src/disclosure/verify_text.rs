//! The commands that check a disclosure with standard tools: the selection, and then the original inside it.

use super::Original;
use crate::package::verify_text::{self, Facts};

/// Where the original's files are, from the package's root.
const MOVED: [(&str, &str); 2] =
    [("proof/", "bag/data/original-proof/"), ("bag/bag-info", "bag/data/original/bag-info")];

/// `facts` tell of the selection.
pub fn text(facts: &Facts<'_>, of: Original) -> String {
    let Original { signing_time, stamped_at, logged } = of;
    let original = Facts { reference: facts.reference, signing_time, stamped_at, logged };
    let of_original = |text: String| MOVED.iter().fold(text, |text, (from, to)| text.replace(from, to));
    let mut sections = verify_text::signed(facts);
    sections.extend(facts.stamped_at.map(verify_text::stamp));
    let at = stamped_at.unwrap_or(signing_time).timestamp();
    sections.push((
        "The ORIGINAL's list is as the original was signed (prints \"CAdES Verification successful\")".to_owned(),
        format!(
            "    openssl cms -verify -binary -cades -inform DER -in bag/data/original-proof/seal.p7s -content \
             bag/data/original/tagmanifest-sha256.txt -CAfile ../roots.pem -attime {at} -out /dev/null\n"
        ),
    ));
    sections.push((
        "The original's manifest and each file here are those in that list (prints OK for each)".to_owned(),
        "    (cd bag/data/original && sha256sum --strict -c tagmanifest-sha256.txt)\n    \
         sed -n 's,  data/\\(manifest.json\\|READ-ME-FIRST.txt\\)$,  bag/data/original/\\1,p' bag/data/original/manifest-sha256.txt \
         | sha256sum --strict -c\n    \
         (cd bag && sha256sum --strict --ignore-missing -c data/original/manifest-sha256.txt)\n"
            .to_owned(),
    ));
    let later = verify_text::later(&original, sections.len());
    sections.extend(later.into_iter().map(|(title, body)| (title, of_original(body))));
    format!(
        "HOW TO VERIFY THIS PARTIAL DISCLOSURE OF EXHIBIT {}\n\n{}\n{}{}",
        facts.reference,
        verify_text::INTRODUCTION,
        verify_text::numbered(&sections),
        verify_text::NOT_PROVED,
    )
}
