//! The note for whoever opens a disclosure's folder first.

use super::Disclosure;
use crate::Manifest;

pub fn text(disclosure: &Disclosure, manifest: &Manifest) -> String {
    let Disclosure { reference, exhibit, who, reason, .. } = disclosure;
    let made = disclosure.made_at.format("%Y-%m-%d %H:%M:%S UTC");
    let list = |paths: &[String]| match paths {
        [] => "  nothing\n".to_owned(),
        paths => paths.iter().map(|path| format!("  {path}\n")).collect(),
    };
    format!(
        "PARTIAL DISCLOSURE OF EXHIBIT {reference}\n\n\
         This folder holds SOME files of a sealed exhibit. Please leave every file as it is: changing, renaming, adding or removing\n\
         any file will show.\n\n\
         \x20 Exhibit reference  {reference}\n\
         \x20 Exhibit id         {exhibit}\n\
         \x20 Force              {}\n\
         \x20 Incident           {} number {}\n\
         \x20 Selected           {made}, by {who}\n\
         \x20 Why                {reason}\n\n\
         What is here\n{}\n\
         What the exhibit also has, and was left out\n{}\n\
         How to check it\n\
         \x20 The original's sealed manifest is in `original`, its signature and other proofs in `original-proof`: they prove that each\n\
         \x20 file here is the one that was sealed. `VERIFY.txt` in the folder `proof`, beside `bag`, has commands for that which need\n\
         \x20 none of our software.\n",
        manifest.force,
        manifest.incident.date,
        manifest.incident.number,
        list(&disclosure.disclosed),
        list(&disclosure.withheld),
    )
}
