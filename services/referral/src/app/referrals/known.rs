//! What referrals are worked out from, and how each stands: a draft is a view of the case at one moment.

use ids::{ForceId, IncidentRef, PersonId};
use outbox::Tx;

use crate::{
    app::{
        App, On,
        delivery::deliveries_of,
        people::people_of,
        risk::{RiskNow, RiskView},
    },
    books::partners::{Partner, Route},
    domain::{
        ConsentsEach, Draft, Facts, Kind, Part, Person, Recipient, Referral, RiskWords, Story,
        delivery::Progress,
        draft::{self, Onwards, Towards},
    },
    error::Error,
};

/// What is known of a case, for its referrals.
#[derive(Debug)]
pub(crate) struct CaseKnown {
    /// The force's reference.
    pub incident: IncidentRef,
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// What the caller has agreed to.
    pub consents: ConsentsEach,
    /// What was found of the risk.
    pub risk: RiskWords,
}

/// A referral as it stands.
#[derive(Debug, Clone)]
pub struct ReferralView {
    /// What is kept of it.
    pub referral: Referral,
    /// Its kind's title; the key of a kind that the force makes no more.
    pub title: String,
    /// Of a draft: what it would say now.
    pub draft: Option<Draft>,
    /// Of a draft: to whom it would go.
    pub towards: Option<Towards>,
    /// Of one that was sent by the service: how it fares on its way.
    pub delivery: Option<Progress>,
}

impl CaseKnown {
    /// Of a case that an officer has had.
    pub fn of(facts: Facts, people: Vec<Person>, risk: &RiskNow) -> Result<Self, Error> {
        Ok(Self {
            incident: facts.incident.ok_or(Error::UnknownCall)?,
            people,
            consents: facts.consents_each,
            risk: risk.view().map(RiskView::in_words).unwrap_or_default(),
        })
    }
}

impl App {
    /// Gathers what is known.
    pub(crate) async fn known(&self, tx: &mut Tx, on: &On, facts: Facts) -> Result<CaseKnown, Error> {
        CaseKnown::of(facts, people_of(tx, on).await?, &self.risk_now(tx, on).await?)
    }

    /// A case's referrals as they stand, in the order in which they were drafted.
    pub(crate) async fn referrals_of(
        &self,
        tx: &mut Tx,
        on: &On,
        known: &CaseKnown,
        all: Vec<Referral>,
    ) -> Result<Vec<ReferralView>, Error> {
        let mut deliveries = deliveries_of(tx, on).await?;
        let view = |referral: Referral| {
            let delivery = deliveries.remove(&referral.id);
            self.referral_view(&on.force, known, referral, delivery)
        };
        Ok(all.into_iter().map(view).collect())
    }

    /// One as it stands.
    pub(super) fn referral_view(
        &self,
        force: &ForceId,
        known: &CaseKnown,
        referral: Referral,
        delivery: Option<Progress>,
    ) -> ReferralView {
        let title = self.title_of(force, &referral.kind).to_owned();
        let kind = self.books.kinds.of(force).get(&referral.kind).filter(|_| referral.is_draft());
        let towards = kind.and_then(|kind| self.towards_of(force, known, kind, &referral));
        let draft = kind.map(|kind| self.draft_of(force, known, kind, &referral));
        ReferralView { referral, title, draft, towards, delivery }
    }

    /// What a draft would say now.
    pub(super) fn draft_of(&self, force: &ForceId, known: &CaseKnown, kind: &Kind, referral: &Referral) -> Draft {
        let story = Story { incident: &known.incident, people: &known.people, risk: &known.risk };
        let towards = self.towards_of(force, known, kind, referral);
        draft::view(referral, kind, story, &known.consents, towards.as_ref())
    }

    fn towards_of(&self, force: &ForceId, known: &CaseKnown, kind: &Kind, referral: &Referral) -> Option<Towards> {
        self.towards(force, kind, referral.partner.as_deref(), where_they_live(&known.people, referral.person))
    }

    /// By whose terms the schools go that the partner of the area would tell.
    pub(super) fn school_terms(
        &self,
        force: &ForceId,
        people: &[Person],
        kind: &Kind,
        child: Option<PersonId>,
    ) -> Option<&str> {
        let towards = self.towards(force, kind, None, where_they_live(people, child))?;
        self.partner(force, &towards.partner.id)?.school_terms.as_deref()
    }

    /// The partner that was chosen; without one that of the area, if there is exactly one.
    pub(super) fn towards(
        &self,
        force: &ForceId,
        kind: &Kind,
        chosen: Option<&str>,
        postcode: &str,
    ) -> Option<Towards> {
        let mut found = self.books.partners.of(force, &kind.partner, postcode).into_iter();
        let (partner, in_area) = match chosen {
            Some(id) => found.find(|(partner, _)| partner.id == id)?,
            None => {
                let mut here = found.filter(|(_, in_area)| *in_area);
                let first = here.next()?;
                here.next().is_none().then_some(first)?
            }
        };
        let way = match partner.route {
            Route::None => Onwards::ByHand,
            Route::Email { .. } => Onwards::Email,
            Route::Webhook { .. } => Onwards::Webhook,
        };
        let Partner { id, name, phone, .. } = partner;
        let partner = Recipient { id: id.clone(), name: name.clone(), phone: phone.clone() };
        Some(Towards { partner, in_area, way })
    }
}

/// The child's postcode, or the victim's; empty if neither is known.
fn where_they_live(people: &[Person], child: Option<PersonId>) -> &str {
    let child = people.iter().find(|one| Some(one.id) == child && !one.details.postcode.is_empty());
    let victim = || people.iter().find(|one| one.details.part == Part::Victim);
    child.or_else(victim).map_or("", |one| one.details.postcode.as_str())
}
