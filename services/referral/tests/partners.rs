//! SearchPartners, by the book that is shipped.

use api::referral::v1::{Route, SearchPartnersRequest, referral_service_client::ReferralServiceClient};
use testkit::Service;
use tonic::{Code, Status};

#[tokio::test]
async fn partners_of_the_force_for_a_kind_those_of_the_area_first() {
    let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
    let (url, bus) = (db.url(), nats.url().to_owned());
    let env = [("ALCOVE_REFERRAL__DATABASE__URL", url.as_str()), ("ALCOVE_REFERRAL__NATS__URL", bus.as_str())];
    Service::migrate("referral", &env).await.unwrap();
    let service = Service::start("referral", &env).await.unwrap();
    let client = ReferralServiceClient::connect(service.url("grpc")).await.unwrap();
    let search = async |force: &str, kind: &str, postcode: &str| -> Result<Vec<_>, Status> {
        let [force_id, kind, postcode] = [force, kind, postcode].map(str::to_owned);
        let request = SearchPartnersRequest { force_id, kind, postcode };
        let found = client.clone().search_partners(request).await?.into_inner().partners;
        Ok(found.into_iter().map(|p| (p.partner_id.clone(), p.in_area, p.route(), p.phone)).collect())
    };
    let found = search("kent", "idva", "ME14 5AA").await.unwrap();
    let ids: Vec<_> = found.iter().map(|(id, in_area, route, _)| (id.as_str(), *in_area, *route)).collect();
    assert_eq!(ids, [("kent-idva-west", true, Route::Email), ("kent-idva-east", false, Route::Email)]);
    assert!(found.iter().all(|(.., phone)| !phone.is_empty()));
    assert_eq!(search("wmp", "refuge", "").await.unwrap()[0].2, Route::None);
    assert_eq!(search("surrey", "idva", "").await.unwrap(), []);
    for (force, kind, code, reason) in [
        ("kent", "no-such-kind", Code::NotFound, "UNKNOWN_KIND"),
        ("KENT", "idva", Code::InvalidArgument, "INVALID_FORCE"),
    ] {
        let status = search(force, kind, "").await.unwrap_err();
        assert_eq!((status.code(), chassis::status::reason_of(&status).as_deref()), (code, Some(reason)));
    }
}
