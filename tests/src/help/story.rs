//! Two calls, as far as their paperwork: what the officer writes down while the caller is there.

use super::panel::{Who, agreed, answer, draft, grade, note, person, quote, send_all};
use crate::{
    browser::BrowserError,
    pages::{Pages, picture},
};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A standard risk, and an adviser whom she wants to hear from.
///
/// # Errors
/// When the console doesn't show what it should.
pub async fn standard(pages: &Pages<'_>) -> Outcome {
    let officer = pages.officer;
    kept(pages).await?;
    answer(officer, &["frightened", "parted", "contact-quarrel"]).await?;
    quote(officer, "frightened", "I jump whenever the bell rings").await?;
    picture(officer, "help-1-risk.png").await?;
    let told = [
        ("given_name", "Amelia"),
        ("family_name", "Pemberton"),
        ("date_of_birth", "1991-04-12"),
        ("phone", "07700 900111"),
        ("postcode", "B15 2TT"),
        ("address", "4 Mill Lane, Birmingham"),
        ("safe_contact.when", "Before three, he works until then"),
    ];
    person(officer, Who::Victim, &told, &[]).await?;
    let told = [("given_name", "Craig"), ("family_name", "Dalton"), ("relationship", "former partner")];
    person(officer, Who::Suspect, &told, &[]).await?;
    picture(officer, "help-2-people.png").await?;
    grade(officer, "Standard").await?;
    // The control room heard of children.
    note(officer, "children-and-neighbours").await?;
    draft(officer, "idva").await?;
    picture(officer, "help-3-draft.png").await?;
    agreed(officer, "idva").await?;
    send_all(officer, 1).await?;
    picture(officer, "help-4-sent.png").await?;
    Ok(())
}

/// A high risk: two children who were there, and she asks by Clare's Law what he has done before.
///
/// # Errors
/// When the console doesn't show what it should.
pub async fn high(pages: &Pages<'_>) -> Outcome {
    let officer = pages.officer;
    kept(pages).await?;
    let yes = [
        "injured",
        "frightened",
        "fears-what",
        "cut-off",
        "low",
        "parted",
        "follows",
        "children-home",
        "more-often",
        "worse",
        "controls",
        "kill-threat",
        "strangled",
        "money",
        "drink-drugs-mind",
        "record",
    ];
    answer(officer, &yes).await?;
    quote(officer, "strangled", "he held my throat until I saw stars").await?;
    let told = [
        ("given_name", "Joanne"),
        ("family_name", "Whitcombe"),
        ("date_of_birth", "1988-09-30"),
        ("phone", "07700 900222"),
        ("postcode", "B29 6BD"),
        ("address", "17 Heath Road, Birmingham"),
        ("safe_contact.when", "While he is at work, eight to four"),
        ("safe_contact.never", "No letter to the house"),
    ];
    person(officer, Who::Victim, &told, &[]).await?;
    let told = [
        ("given_name", "Leon"),
        ("family_name", "Harker"),
        ("date_of_birth", "1985-02-17"),
        ("relationship", "husband"),
    ];
    person(officer, Who::Suspect, &told, &[]).await?;
    let children = [("Maisie", "2017-06-05", "Heath Road Primary"), ("Oscar", "2020-11-21", "Little Acorns Nursery")];
    for (name, born, school) in children {
        let told = [
            ("given_name", name),
            ("family_name", "Whitcombe"),
            ("date_of_birth", born),
            ("relationship", "child"),
            ("child.school", school),
            ("child.where", "upstairs"),
        ];
        person(officer, Who::Child, &told, &[("child.present", "1"), ("child.saw_or_heard", "1")]).await?;
    }
    picture(officer, "help-5-children.png").await?;
    grade(officer, "High").await?;
    picture(officer, "help-6-high.png").await?;
    draft(officer, "clares-law-ask").await?;
    agreed(officer, "clares-law-ask").await?;
    picture(officer, "help-7-drafts.png").await?;
    // The MARAC's by the grade, school and social care by each child, and what she asks for.
    send_all(officer, 6).await?;
    picture(officer, "help-8-sent.png").await?;
    Ok(())
}

/// A picture is kept, and a part marked.
async fn kept(pages: &Pages<'_>) -> Result<(), BrowserError> {
    let says = "document.querySelector('#company').textContent.startsWith('This call is being recorded.')";
    pages.caller.until(says).await?;
    let officer = pages.officer;
    officer.click("#still").await?;
    officer.until("document.querySelector('#stills').textContent === '1 picture kept'").await?;
    officer.click("#chapters [data-chapter='2']").await?;
    officer.until("document.querySelector('#chapter-said').textContent.startsWith('Chapter 1')").await.map(drop)
}
