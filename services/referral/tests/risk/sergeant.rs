//! A grade lower than the one before is a sergeant's to give: where the service knows who asks.

use api::{
    intake::v1::RiskGrade,
    referral::v1::{Assessment, GradeRiskRequest, GradeRiskResponse, referral_service_client::ReferralServiceClient},
};
use chassis::{
    Clock, Role, Tls, config,
    grpc::{Channel, connect_lazy},
};
use serde_json::json;
use testkit::{Identities, Mint, Service, SigningKey, key};
use tonic::{Code, Request, Status};

use super::{form, grading};
use crate::desk::{FORCE, new_call, refused};

/// An officer's way to the service: over the console, with a token.
struct Officer {
    client: ReferralServiceClient<Channel>,
    token: String,
}

impl Officer {
    fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }

    async fn grade(&self, request: GradeRiskRequest) -> Result<GradeRiskResponse, Status> {
        Ok(self.client.clone().grade_risk(self.asks(request)).await?.into_inner())
    }
}

#[tokio::test]
async fn only_a_sergeant_lowers_a_grade() {
    let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
    let folder = tempfile::tempdir().unwrap();
    let identities = Identities::new(folder.path()).unwrap();
    let signing = SigningKey::es256("k").unwrap();
    let mint = Mint::open(vec![signing.clone()]).await.unwrap();
    let mut settings = vec![("database__url", db.url()), ("nats__url", nats.url().to_owned())];
    settings.extend(identities.service("referral").unwrap().settings());
    settings.extend([("tokens__issuer", mint.issuer()), ("tokens__audience", "alcove".to_owned())]);
    // Nobody asks them here; with [tls] an address has to be a safe one.
    settings.extend(["evidence__url", "intake__url"].map(|url| (url, "https://127.0.0.1:7104".to_owned())));
    let settings: Vec<_> = settings.iter().map(|(setting, value)| (key("referral", setting), value)).collect();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    Service::migrate("referral", &settings).await.unwrap();
    let service = Service::start("referral", &settings).await.unwrap();

    let console = identities.service("console").unwrap();
    let tls = config::Tls { certificate: console.certificate, key: console.key, roots: console.roots };
    let channel =
        connect_lazy(&service.url("grpc"), Tls::read(Some(&tls), chassis::Clock::system()).unwrap().as_ref()).unwrap();
    let officer = |role: Role| {
        let now = Clock::system().now().timestamp();
        let claims = json!({
            "iss": mint.issuer(), "aud": "alcove", "sub": "PC1", "force": FORCE, "roles": [role.word()],
            "iat": now - 60, "exp": now + 600,
        });
        Officer { client: ReferralServiceClient::new(channel.clone()), token: signing.token(&claims).unwrap() }
    };
    let (constable, sergeant) = (officer(Role::DeskOfficer), officer(Role::Sergeant));

    let call = new_call();
    let case = "insert into referral.packages (call_id, force_id, facts, trace) values ($1::uuid, $2, $3, '')";
    let facts = json!({"incident": {"date": "2026-11-24", "number": "1123"}});
    sqlx::query(case).bind(&call).bind(FORCE).bind(facts).execute(&db.pool()).await.unwrap();
    let begun = constable.client.clone().get_assessment_form(constable.asks(form(&call, ""))).await.unwrap();
    let assessment = Assessment { assessment_id: begun.into_inner().assessment_id, ..Default::default() };
    let grade = |grade, reason| grading(&call, &assessment, grade, reason);
    constable.grade(grade(RiskGrade::High, "she is terrified")).await.unwrap();
    let lowered = constable.grade(grade(RiskGrade::Medium, "calm now")).await;
    refused(lowered, Code::FailedPrecondition, "SERGEANT_REQUIRED");
    let lowered = sergeant.grade(grade(RiskGrade::Medium, "he has been charged")).await.unwrap().grading.unwrap();
    assert_eq!((lowered.grade(), &*lowered.officer_id), (RiskGrade::Medium, "PC1"));
    constable.grade(grade(RiskGrade::High, "he is out again")).await.unwrap();
}
