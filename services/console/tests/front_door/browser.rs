//! A browser as far as a door is concerned: cookies by host, redirects, and gRPC-web by hand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use prost::Message;
use reqwest::{Response, StatusCode, Url, header, redirect::Policy};

use crate::support::Frames;

/// Cheap to clone: the same browser, with the same cookies.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    pub url: String,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// At a console, without a cookie.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, url: url.to_owned(), jar: Arc::default() }
    }

    /// What this origin gets sent: `a=1; b=2`.
    pub fn cookies(&self, url: &str) -> String {
        let (jar, origin) = (self.jar.lock().unwrap(), origin(url));
        let own = jar.iter().filter_map(|(name, value)| Some(format!("{}={value}", name.strip_prefix(&origin)?)));
        own.collect::<Vec<_>>().join("; ")
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(&format!("{}{name}", origin(&self.url))).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(format!("{}{name}", origin(&self.url)), value.to_owned());
    }

    async fn send(&self, request: reqwest::RequestBuilder, url: &str) -> Response {
        let answer = request.header(header::COOKIE, self.cookies(url)).send().await.unwrap();
        let mut jar = self.jar.lock().unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let name = format!("{}{name}", origin(url));
            if value.is_empty() || cookie.contains("Max-Age=0") {
                jar.remove(&name);
            } else {
                jar.insert(name, value.to_owned());
            }
        }
        drop(jar);
        answer
    }

    /// Without following a redirect.
    pub async fn visit(&self, url: &str) -> Response {
        self.send(self.http.get(url), url).await
    }

    pub async fn get(&self, path: &str) -> Response {
        self.visit(&(self.url.clone() + path)).await
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let url = self.url.clone() + path;
        self.http.post(&url).header(header::COOKIE, self.cookies(&url))
    }

    /// At the issuer's page, as that officer: the address that it leads back to, code and all.
    pub async fn to_the_callback(&self, officer: &str) -> String {
        let door = leads_to(&self.get("/sign-in").await);
        self.brought_back_by(&door, officer).await
    }

    pub async fn brought_back_by(&self, door: &str, officer: &str) -> String {
        let page = leads_to(&self.visit(door).await);
        let page = Url::parse(door).unwrap().join(&page).unwrap().to_string();
        if page.starts_with(&self.url) {
            return page; // known there still
        }
        let chosen = self.send(self.http.post(&page).form(&[("officer", officer)]), &page).await;
        leads_to(&self.visit(&leads_to(&chosen)).await)
    }

    pub async fn sign_in(&self, officer: &str) {
        let callback = self.to_the_callback(officer).await;
        assert_eq!(leads_to(&self.visit(&callback).await), "/");
    }

    /// Who is signed in here.
    pub async fn me(&self) -> Option<serde_json::Value> {
        let answer = self.get("/me").await;
        if answer.status() == StatusCode::NO_CONTENT { None } else { Some(answer.json().await.unwrap()) }
    }

    pub fn rpc<M: Message>(&self, method: &str, message: &M) -> reqwest::RequestBuilder {
        let body = message.encode_to_vec();
        let mut framed = vec![0];
        framed.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        framed.extend(body);
        self.post(method).header(header::CONTENT_TYPE, "application/grpc-web+proto").body(framed)
    }

    /// Calls and reads on as messages come.
    pub async fn call<M: Message>(&self, method: &str, message: &M) -> Frames {
        let answer = self.rpc(method, message).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        Frames::of(answer)
    }
}

/// Where a redirect leads.
pub fn leads_to(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.url());
    answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

fn origin(url: &str) -> String {
    format!("{} ", Url::parse(url).unwrap().origin().ascii_serialization())
}
