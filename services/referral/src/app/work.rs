//! What was done here, as far as it fills an item of the package.

use ids::ForceId;
use sqlx::PgConnection;

use super::{App, On, people::people_of, risk::RiskNow};
use crate::{
    domain::{Child, Known, Package, Part, Person, Referral, Statement, View, Work, risk::Grade, schedule::Schedule},
    error::Error,
    store::{self, schedules, statements},
};

/// A case beside its facts, at one moment. Personal data: no `Debug`.
pub(crate) struct Gathered {
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// Its risk.
    pub risk: RiskNow,
    /// In the order in which they were drafted.
    pub referrals: Vec<Referral>,
}

/// A package at one moment, read once for its documents and its index. Personal data: no `Debug`.
pub(super) struct Whole {
    /// What is kept of the case beside its facts.
    pub gathered: Gathered,
    /// Against its checklist.
    pub view: View,
    /// Its disclosure schedule.
    pub schedule: Schedule,
    /// Every version of the officer's, the newest first.
    pub statements: Vec<Statement>,
}

impl App {
    /// All of a package.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub(super) async fn whole(&self, tx: &mut PgConnection, on: &On, package: &Package) -> Result<Whole, Error> {
        let gathered = self.gather(tx, on).await?;
        let view = self.checklist(tx, on, (package, &gathered)).await?;
        let saved = schedules::last(tx, on).await?;
        let schedule = self.schedule_over(tx, on, (package, &gathered), saved).await?;
        let statements = statements::statements(tx, on, (None, None)).await?;
        Ok(Whole { gathered, view, schedule, statements })
    }

    /// The package of a call against its checklist: as it was when the package opened, by the book before that.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub(crate) async fn checklist(
        &self,
        tx: &mut PgConnection,
        on: &On,
        (package, gathered): (&Package, &Gathered),
    ) -> Result<View, Error> {
        let work = self.work(tx, on, (package, gathered)).await?;
        Ok(package.view(&self.books.checklist, &work))
    }

    /// What is kept of a case beside its facts, read once for all that is made from it.
    ///
    /// # Errors
    /// The database is away, or a row is impossible.
    pub(crate) async fn gather(&self, tx: &mut PgConnection, on: &On) -> Result<Gathered, Error> {
        Ok(Gathered {
            people: people_of(tx, on).await?,
            risk: self.risk_now(tx, on).await?,
            referrals: store::referrals(tx, on).await?,
        })
    }

    /// "MARAC, IDVA": what was set going, once no draft is left. Where the risk is standard, nothing may have to be.
    fn helped(&self, force: &ForceId, referrals: &[Referral], grade: Option<Grade>) -> Option<String> {
        if referrals.iter().any(Referral::is_draft) {
            return None;
        }
        let sent = referrals.iter().filter(|one| one.sent().is_some()).map(|one| self.title_of(force, &one.kind));
        let titles: Vec<_> = sent.collect();
        match (titles.is_empty(), grade) {
            (false, _) => Some(titles.join(", ")),
            (true, _) if !referrals.is_empty() => Some("none: what was drafted was taken back".to_owned()),
            (true, Some(Grade::Standard)) => Some("none, and the risk is standard".to_owned()),
            (true, _) => None,
        }
    }

    /// What referrals of a kind are called; the key of a kind that the force makes no more.
    pub(super) fn title_of<'a>(&'a self, force: &ForceId, kind: &'a str) -> &'a str {
        self.books.kinds.of(force).get(kind).map_or(kind, |kind| &kind.title)
    }

    async fn work(
        &self,
        tx: &mut PgConnection,
        on: &On,
        (package, gathered): (&Package, &Gathered),
    ) -> Result<Work, Error> {
        let Gathered { people, risk, referrals } = gathered;
        // Who isn't known by name can't be found.
        let earlier = if is_known(people) { risk.earlier_calls() } else { None };
        let risk = risk.view().filter(|risk| risk.is_graded).and_then(|risk| risk.grading);
        let grade = risk.as_ref().map(|given| given.decision.grade);
        let declared = statements::last(tx, on).await?.filter(|last| last.declared);
        Ok(Work {
            risk: risk.map(|given| format!("{}, by {}", given.decision.grade.word(), given.decision.by.word())),
            history: earlier.map(|count| match count {
                0 => "no earlier call of the same people".to_owned(),
                1 => "1 earlier call of the same people".to_owned(),
                count => format!("{count} earlier calls of the same people"),
            }),
            people: who_saw_or_heard(people),
            children: people.iter().filter(|person| person.details.part == Part::Child).count(),
            referrals: self.helped(&on.force, referrals, grade),
            follow_ups: self.later_pictures(tx, on).await?,
            statement: declared.map(|last| format!("version {}, declared by {}", last.version, last.saved_by)),
            schedule: self.scheduled(tx, on, (package, gathered)).await?,
            notes: statements::notes(tx, &on.force, on.call).await?,
        })
    }
}

fn is_known(people: &[Person]) -> bool {
    let victim = people.iter().find(|person| person.details.part == Part::Victim);
    victim.is_some_and(|victim| !victim.details.family_name.is_empty())
}

/// "2 children, 1 other", once the victim is known, and of each child whether they were there and saw or heard it.
fn who_saw_or_heard(people: &[Person]) -> Option<String> {
    let answered = |child: &Child| child.present != Known::NotAsked && child.saw_or_heard != Known::NotAsked;
    let children: Vec<_> = people.iter().filter(|person| person.details.part == Part::Child).collect();
    let others = people.iter().filter(|person| person.details.part == Part::Other).count();
    let known = is_known(people) && children.iter().all(|child| child.details.child.as_ref().is_some_and(answered));
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    known.then(|| format!("{}, {}", count(children.len(), "child", "children"), count(others, "other", "others")))
}
