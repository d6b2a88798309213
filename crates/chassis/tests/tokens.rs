//! Which tokens are believed.

use chassis::{Claims, Clock, ManualClock, Refused, Role, Roles, Tokens, config};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Mint, SigningKey, until};

const AUDIENCE: &str = "alcove";

struct Scene {
    mint: Mint,
    key: SigningKey,
    clock: ManualClock,
    tokens: Tokens,
}

fn start() -> DateTime<Utc> {
    "2026-11-26T19:00:00Z".parse().unwrap()
}

fn tokens(mint: &Mint, clock: &ManualClock) -> Tokens {
    let config = config::Tokens { issuer: mint.issuer(), audience: AUDIENCE.to_owned(), jwks_url: None };
    Tokens::new(&config, Clock::from(clock.clone())).unwrap()
}

impl Scene {
    async fn with(key: SigningKey) -> Self {
        let mint = Mint::open(vec![key.clone()]).await.unwrap();
        let clock = ManualClock::new(start());
        let tokens = tokens(&mint, &clock);
        Self { mint, key, clock, tokens }
    }

    async fn new() -> Self {
        Self::with(SigningKey::es256("one").unwrap()).await
    }

    /// Good ones, for five minutes.
    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": self.mint.issuer(), "aud": AUDIENCE, "sub": "pc-okafor", "force": "wmp",
            "roles": ["desk_officer", "sergeant", "chess_club"], "iat": now, "nbf": now, "exp": now + 300,
        })
    }

    fn claims_but(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    async fn check(&self, claims: &Value) -> Result<Claims, Refused> {
        self.tokens.check(&self.key.token(claims).unwrap()).await
    }
}

#[tokio::test]
async fn a_genuine_token_says_who_asks() {
    for key in [
        SigningKey::es256("a").unwrap(),
        SigningKey::rsa("b", "RS256").unwrap(),
        SigningKey::rsa("c", "PS256").unwrap(),
    ] {
        let scene = Scene::with(key).await;
        let expected = Claims {
            officer: "pc-okafor".parse().unwrap(),
            force: "wmp".parse().unwrap(),
            roles: [Role::DeskOfficer, Role::Sergeant].into_iter().collect::<Roles>(),
            expires_at: start() + TimeDelta::minutes(5),
        };
        assert_eq!(scene.check(&scene.claims()).await, Ok(expected.clone()));
        assert_eq!(scene.check(&scene.claims_but("aud", json!(["other", AUDIENCE]))).await, Ok(expected));
        assert_eq!(scene.mint.asked(), 1, "keys are kept");
        let none = scene.check(&scene.claims_but("roles", json!([]))).await.unwrap();
        assert!(none.roles.is_empty());
    }
}

#[tokio::test]
async fn what_is_not_for_us_is_refused() {
    let scene = Scene::new().await;
    for (name, value) in [
        ("aud", json!("alcove2")),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("iss", json!("https://elsewhere.example")),
        ("iss", json!(null)),
        ("sub", json!("pc okafor")),
        ("sub", json!(null)),
        ("force", json!("WMP")),
        ("force", json!(null)),
        ("roles", json!("admin")),
        ("exp", json!(null)),
        ("exp", json!(1e300)),
        ("exp", json!("2030-01-01")),
        ("nbf", json!("soon")),
    ] {
        assert_eq!(scene.check(&scene.claims_but(name, value.clone())).await, Err(Refused::Invalid), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_token_holds_for_its_time_by_our_clock() {
    let scene = Scene::new().await;
    let token = scene.key.token(&scene.claims()).unwrap();
    for (passed, expected) in [
        (-31, Some(Refused::Invalid)),
        (-30, None),
        (300, None),
        (329, None),
        (330, Some(Refused::Expired)),
        (86_400, Some(Refused::Expired)),
    ] {
        scene.clock.set(start() + TimeDelta::seconds(passed));
        assert_eq!(scene.tokens.check(&token).await.err(), expected, "after {passed} s");
    }
}

#[tokio::test]
async fn the_algorithm_is_the_keys_to_say() {
    let scene = Scene::with(SigningKey::rsa("one", "RS256").unwrap()).await;
    let claims = scene.claims();
    let coded = |value: &Value| base64(value.to_string().as_bytes());
    for algorithm in ["none", "None", "", "HS256"] {
        let unsigned = format!("{}.{}.", coded(&json!({"alg": algorithm, "kid": "one"})), coded(&claims));
        assert_eq!(scene.tokens.check(&unsigned).await, Err(Refused::Invalid), "{algorithm}");
    }
    // What everybody knows of the key, taken for a secret.
    let public = scene.key.published();
    for secret in [public["n"].as_str().unwrap().to_owned(), public.to_string()] {
        let text = format!("{}.{}", coded(&json!({"alg": "HS256", "kid": "one"})), coded(&claims));
        let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
        let forged = format!("{text}.{}", base64(mac.as_ref()));
        assert_eq!(scene.tokens.check(&forged).await, Err(Refused::Invalid));
    }
    // Signed by the right key, and still not said the right way.
    for header in [
        json!({"alg": "HS256", "kid": "one"}),
        json!({"alg": "PS256", "kid": "one"}),
        json!({"alg": "RS512", "kid": "one"}),
        json!({"alg": "RS256", "kid": "one", "crit": ["b64"], "b64": false}),
        json!({"kid": "one"}),
    ] {
        let token = scene.key.token_with(&header, &claims).unwrap();
        assert_eq!(scene.tokens.check(&token).await, Err(Refused::Invalid), "{header}");
    }
    // Without a name there is still only one key; a key brought along is none.
    let nameless = scene.key.token_with(&json!({"alg": "RS256"}), &claims).unwrap();
    assert!(scene.tokens.check(&nameless).await.is_ok());
    let other = SigningKey::es256("one").unwrap();
    let brought = other.token_with(&json!({"alg": "ES256", "kid": "one", "jwk": other.published()}), &claims).unwrap();
    assert_eq!(scene.tokens.check(&brought).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_key_that_we_cannot_use_hides_no_other() {
    let scene = Scene::new().await;
    let (mut for_secrets, mut strange) =
        (scene.key.published(), json!({"kty": "AKP", "kid": "one", "alg": "ML-DSA-44"}));
    for_secrets["use"] = json!("enc");
    strange["x"] = json!(1);
    // Of the same name, and passed over.
    let set = json!({"keys": [strange, {"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256"}, for_secrets]});
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let published = {
        let (mut set, key) = (set.clone(), scene.key.published());
        set["keys"].as_array_mut().unwrap().push(key);
        set
    };
    let router = axum::Router::new().route("/", axum::routing::get(async move || axum::Json(published)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = config::Tokens { issuer: scene.mint.issuer(), audience: AUDIENCE.to_owned(), jwks_url: Some(url) };
    let tokens = Tokens::new(&config, Clock::from(scene.clock.clone())).unwrap();
    assert!(tokens.check(&scene.key.token(&scene.claims()).unwrap()).await.is_ok());
    assert_eq!(scene.mint.asked(), 0);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_is_forgotten() {
    let scene = Scene::new().await;
    let old = scene.key.token(&scene.claims_but("exp", json!(start().timestamp() + 90_000))).unwrap();
    assert!(scene.tokens.check(&old).await.is_ok());
    let next = SigningKey::es256("two").unwrap();
    let new = next.token(&scene.claims_but("exp", json!(start().timestamp() + 90_000))).unwrap();
    assert_eq!(scene.tokens.check(&new).await, Err(Refused::IssuerAway), "nobody has asked about it yet");
    scene.mint.publish(vec![next]);
    assert_eq!(scene.tokens.check(&new).await, Err(Refused::IssuerAway), "once a minute is enough for made-up names");
    assert_eq!(scene.mint.asked(), 1);
    scene.clock.advance(Duration::from_secs(60));
    assert!(scene.tokens.check(&new).await.is_ok());
    assert_eq!(scene.mint.asked(), 2);
    assert_eq!(scene.tokens.check(&old).await, Err(Refused::Invalid), "its key was taken back");

    // Also when nobody comes with an unknown one.
    scene.mint.publish(vec![scene.key.clone()]);
    scene.clock.advance(Duration::from_secs(3599));
    assert!(scene.tokens.check(&new).await.is_ok());
    assert_eq!(scene.mint.asked(), 2);
    scene.clock.advance(Duration::from_secs(1));
    // Whoever comes then doesn't wait for the answer: the key that is there still holds.
    assert!(scene.tokens.check(&new).await.is_ok());
    until("the key is taken back", async || scene.tokens.check(&new).await.is_err()).await;
    assert_eq!(scene.mint.asked(), 3);
    assert!(scene.tokens.check(&old).await.is_ok());
}

#[tokio::test]
async fn that_there_is_no_such_key_is_said_by_an_answer_to_that_question_only() {
    let scene = Scene::new().await;
    assert!(scene.check(&scene.claims()).await.is_ok());
    let kid = |kid: &str| SigningKey::es256(kid).unwrap();
    let claims = scene.claims_but("exp", json!(start().timestamp() + 90_000));
    let (forged, other) = (kid("forged").token(&claims).unwrap(), kid("other").token(&claims).unwrap());
    // Seen between two questions, however often.
    for _ in 0..3 {
        assert_eq!(scene.tokens.check(&forged).await, Err(Refused::IssuerAway));
    }
    // Somebody else's question a minute later answers for both.
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.tokens.check(&other).await, Err(Refused::Invalid), "it asked itself");
    assert_eq!(scene.tokens.check(&forged).await, Err(Refused::Invalid), "the answer is later than the name");
    assert_eq!(scene.mint.asked(), 2);

    // However many forged names there are, a good one is found with the next question.
    let good = kid("good");
    let token = good.token(&claims).unwrap();
    for n in 0..100 {
        let forged = kid("one").token_with(&json!({"alg": "ES256", "kid": n.to_string()}), &claims).unwrap();
        assert_eq!(scene.tokens.check(&forged).await, Err(Refused::IssuerAway));
    }
    scene.mint.publish(vec![scene.key.clone(), good]);
    assert_eq!(scene.tokens.check(&token).await, Err(Refused::IssuerAway));
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.tokens.check(&forged).await, Err(Refused::Invalid));
    assert!(scene.tokens.check(&token).await.is_ok());
    assert_eq!(scene.mint.asked(), 3);
    // An answer that didn't come answers nothing, and what was said before may have changed since.
    scene.mint.set_away(true);
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.tokens.check(&forged).await, Err(Refused::IssuerAway));
}

#[tokio::test]
async fn with_the_issuer_away_known_keys_still_hold() {
    let scene = Scene::new().await;
    let token = scene.key.token(&scene.claims_but("exp", json!(start().timestamp() + 90_000))).unwrap();
    scene.mint.set_away(true);
    assert_eq!(scene.tokens.check(&token).await, Err(Refused::IssuerAway));
    scene.mint.set_away(false);
    scene.clock.advance(Duration::from_secs(2));
    assert!(scene.tokens.check(&token).await.is_ok());

    scene.mint.set_away(true);
    scene.clock.advance(Duration::from_secs(7200));
    assert!(scene.tokens.check(&token).await.is_ok());
    let unknown = SigningKey::es256("two").unwrap().token(&scene.claims()).unwrap();
    assert_eq!(scene.tokens.check(&unknown).await, Err(Refused::IssuerAway));
    let forged = SigningKey::es256("one").unwrap().token(&scene.claims()).unwrap();
    assert_eq!(scene.tokens.check(&forged).await, Err(Refused::Invalid), "that much can be told");
}

#[test]
fn keys_come_by_a_way_that_nobody_can_change() {
    for (issuer, jwks_url, good) in [
        ("https://login.example", None, true),
        ("http://127.0.0.1:7400", Some("http://localhost:1/jwks"), true),
        ("http://login.example", None, false),
        ("http://127.0.0.1.example", None, false),
        ("https://login.example", Some("http://login.example/jwks"), false),
        ("login.example", None, false),
        ("", None, false),
    ] {
        let config = config::Tokens {
            issuer: issuer.to_owned(),
            audience: AUDIENCE.to_owned(),
            jwks_url: jwks_url.map(str::to_owned),
        };
        assert_eq!(Tokens::new(&config, Clock::system()).is_ok(), good, "{issuer} {jwks_url:?}");
    }
}

/// Nothing that comes from outside makes it fall over, and nothing that was changed on the way is believed.
#[test]
fn garbage_is_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let scene = runtime.block_on(Scene::new());
    let good = scene.key.token(&scene.claims()).unwrap();
    let check = |token: &str| runtime.block_on(scene.tokens.check(token));
    assert!(check(&good).is_ok());
    assert_eq!(check(&format!("{good}.")), Err(Refused::Invalid));
    assert_eq!(check(&"a".repeat(1 << 20)), Err(Refused::Invalid));
    proptest!(|(text in ".{0,200}", parts in "[a-zA-Z0-9_-]{0,40}(\\.[a-zA-Z0-9_-]{0,40}){0,4}")| {
        prop_assert_eq!(check(&text), Err(Refused::Invalid));
        prop_assert_eq!(check(&parts), Err(Refused::Invalid));
    });
    proptest!(|(at in 0..good.len(), with in "[a-zA-Z0-9_.-]")| {
        let mut changed = good.clone();
        changed.replace_range(at..=at, &with);
        prop_assert_eq!(check(&changed).is_ok(), changed == good);
    });
    proptest!(|(header in ".{0,60}", payload in ".{0,60}")| {
        let header: Value = serde_json::from_str(&header).unwrap_or(json!({"alg": "ES256", "kid": header}));
        let token = scene.key.token_with(&header, &json!(payload)).unwrap();
        // A made-up name may be a new key's: that is known when the issuer may be asked again.
        prop_assert!(matches!(check(&token), Err(Refused::Invalid | Refused::IssuerAway)));
    });
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}
