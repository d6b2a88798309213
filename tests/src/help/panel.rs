//! What an officer does in the panel beside the call: each as a hand does it, by keys, fields and buttons.

use crate::browser::{BrowserError, Page};

type Outcome = Result<(), BrowserError>;

/// What a draft leaves to its officer.
const GAP: &str = "[...]";
/// What nobody has to know: how many sheets it would be on, and a note on a chapter that was marked without one.
const STRUCK: [&str; 2] = ["pages each", "(account)"];

/// Everything that was written is kept.
///
/// # Errors
/// When it isn't.
pub async fn saved(officer: Page<'_>) -> Outcome {
    officer.until("document.querySelector('#work-saved').textContent === 'All is saved'").await.map(drop)
}

/// Answers all questions by the keyboard: these with yes, the others with no.
///
/// # Errors
/// When the questions don't come, or an answer isn't kept.
pub async fn answer(officer: Page<'_>, yes: &[&str]) -> Outcome {
    officer.press("F6").await?;
    officer.see("#questions .question").await?;
    officer.press("F6").await?;
    let keys = officer
        .evaluate("[...document.querySelectorAll('#questions .question')].map((one) => one.dataset.question)")
        .await?;
    for key in keys.as_array().into_iter().flatten() {
        officer.press(if yes.iter().any(|yes| key == yes) { "y" } else { "n" }).await?;
    }
    saved(officer).await
}

/// Writes down what the caller said to a question, and that they say it now.
///
/// # Errors
/// When it can't be written there.
pub async fn quote(officer: Page<'_>, question: &str, words: &str) -> Outcome {
    officer.click("#tab-risk").await?;
    officer.click(&format!("[data-question='{question}'] .q-more")).await?;
    officer.fill(&format!("[data-question='{question}'] [data-field=words]"), words).await?;
    officer.click(&format!("[data-question='{question}'] [data-said]")).await?;
    let at =
        format!("document.querySelector(\"[data-question='{question}'] .q-said\").textContent.startsWith('Said at')");
    officer.until(&at).await?;
    saved(officer).await
}

/// Gives the grade that is due; `words` is what the sign says then.
///
/// # Errors
/// When that isn't the grade.
pub async fn grade(officer: Page<'_>, words: &str) -> Outcome {
    officer.click("#tab-risk").await?;
    officer.click("#grade-give").await?;
    officer.until(&format!("document.querySelector('#grade-given').textContent.includes('{words}')")).await.map(drop)
}

/// Whom somebody is written down as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Who rang.
    Victim,
    /// Whom it is about: a form is added for them.
    Suspect,
    /// A child: a form is added for them.
    Child,
}

/// Writes somebody down: what is typed, and what is chosen, each by its field.
///
/// # Errors
/// When there is no such field, or it isn't kept.
pub async fn person(officer: Page<'_>, who: Who, typed: &[(&str, &str)], chosen: &[(&str, &str)]) -> Outcome {
    officer.click("#tab-people").await?;
    match who {
        Who::Victim => officer.click("[data-person=victim] .p-head").await?,
        Who::Suspect => officer.click("#add-suspect").await?,
        Who::Child => officer.click("#add-child").await?,
    }
    // The one whose form is open: the others are shut again below.
    let form = ".person:has(.p-head[aria-expanded=true])";
    for (field, words) in typed {
        officer.fill(&format!("{form} [data-field='{field}']"), words).await?;
    }
    for (field, choice) in chosen {
        officer.select(&format!("{form} [data-field='{field}']"), choice).await?;
    }
    if who == Who::Victim {
        for way in ["1", "2"] {
            officer.click(&format!("{form} [data-field='safe_contact.ways'] input[value='{way}']")).await?;
        }
    }
    officer.click(&format!("{form} .p-head")).await?;
    saved(officer).await
}

/// Drafts a referral of a kind about the victim.
///
/// # Errors
/// When it isn't drafted.
pub async fn draft(officer: Page<'_>, kind: &str) -> Outcome {
    officer.click("#tab-help").await?;
    officer.select("#help-kind", kind).await?;
    officer.click("#help-add").await?;
    officer.see(&format!(".referral[data-kind='{kind}'][data-state=draft]")).await
}

/// Writes down that the caller agrees to the referral, as spoken on video.
///
/// # Errors
/// When it isn't known of the referral.
pub async fn agreed(officer: Page<'_>, kind: &str) -> Outcome {
    officer.click("#tab-help").await?;
    officer.click(&format!(".referral[data-kind='{kind}'] [data-act=consent]")).await?;
    officer.click("#consent-write").await?;
    officer.click("#tab-help").await?;
    officer
        .until(&format!("document.querySelector(\".referral[data-kind='{kind}'] [data-part=consent]\").hidden"))
        .await
        .map(drop)
}

/// Sends every draft there is, one after the other, each by its button; and their servers have them.
///
/// # Errors
/// When one lacks something, can't be sent, or doesn't arrive.
pub async fn send_all(officer: Page<'_>, count: usize) -> Outcome {
    officer.click("#tab-help").await?;
    let ready = "[...document.querySelectorAll('.referral[data-state=draft]')]";
    officer.until(&format!("{ready}.length === {count}")).await?;
    officer.until(&format!("{ready}.every((one) => !one.querySelector('.r-missing').textContent)")).await?;
    for left in (0..count).rev() {
        officer.click(".referral[data-state=draft] [data-act=send]").await?;
        officer.until(&format!("{ready}.length === {left}")).await?;
    }
    let sent = "[...document.querySelectorAll('.referral[data-state=sent] .r-way:not([id$=stages-way])')]";
    let arrived = "every((one) => one.textContent.includes('Their server has it'))";
    officer.until(&format!("{sent}.length === {count} && {sent}.{arrived}")).await.map(drop)
}

/// Says of an item that an officer answers for how it stands, in words that are there to be taken.
///
/// # Errors
/// When there are none, or they aren't kept.
pub async fn note(officer: Page<'_>, key: &str) -> Outcome {
    let item = format!("#pack-items [data-item='{key}']");
    officer.click("#tab-package").await?;
    officer.click(&format!("{item} [data-say]")).await?;
    officer.click(&format!("{item} .often-words")).await?;
    officer.click(&format!("{item} [type=submit]")).await?;
    officer.see(&format!("{item}:not([data-state=missing])")).await
}

/// What is missing of the package, once the seal has filled what hangs on it.
///
/// # Errors
/// When it never does.
pub async fn missing_once_sealed(officer: Page<'_>) -> Result<Vec<String>, BrowserError> {
    officer.click("#tab-package").await?;
    officer.see("#pack-items [data-item=initial-account][data-state=present]").await?;
    let missing = "[...document.querySelectorAll('#pack-items [data-state=missing]')].map((one) => one.dataset.item)";
    let missing = officer.evaluate(missing).await?;
    Ok(missing.as_array().into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect())
}

/// Has the statement drafted, fills in or strikes out what is left in it, and declares it. What it says.
///
/// # Errors
/// When it isn't taken.
pub async fn declare(officer: Page<'_>) -> Result<String, BrowserError> {
    const TEXT: &str = "document.querySelector('#statement-text').value";
    officer.click("[data-mend=officer-statement]").await?;
    officer.click("#statement-draft").await?;
    let drafted = "document.querySelector('#statement-draft-said').textContent.startsWith('Drafted from the record')";
    officer.until(drafted).await?;
    loop {
        let text = officer.evaluate(TEXT).await?.as_str().unwrap_or_default().to_owned();
        if !text.contains(GAP) {
            break;
        }
        let next = officer.text("#blanks-words").await?;
        if officer.evaluate("!document.querySelector('#blank-put').hidden").await? == true {
            officer.click("#blank-put").await?;
        } else if STRUCK.iter().any(|about| next.contains(about)) {
            officer.click("#blank-strike").await?;
        } else {
            // A field for each: so it would be for a person.
            officer.fill("#statement-text", &text.replacen(GAP, "typed by hand", 1)).await?;
            officer.press("Tab").await?;
        }
    }
    officer.click("#statement-declare").await?;
    officer.until("document.querySelector('#statement-state').textContent.startsWith('Declared')").await?;
    Ok(officer.evaluate(TEXT).await?.as_str().unwrap_or_default().to_owned())
}

/// Seals the package, and waits until it is in its addendum.
///
/// # Errors
/// When it never is.
pub async fn seal(officer: Page<'_>) -> Outcome {
    officer.click("#tab-package").await?;
    officer.click("#seal-go").await?;
    officer.see("#sealings [data-state=sealed]").await
}

/// Takes the schedule as it is proposed.
///
/// # Errors
/// When it isn't taken.
pub async fn schedule(officer: Page<'_>) -> Outcome {
    officer.click("[data-mend=disclosure-schedule]").await?;
    officer.see("#schedule-entries li").await?;
    officer.click("#schedule-save").await?;
    officer.see("#pack-items [data-item=disclosure-schedule][data-state=present]").await
}
