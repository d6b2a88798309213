//! Writing in a call, by both doors, and hearing of it.

use api::session::v1::{
    ChatLine, SendChatRequest, SendChatResponse, WatchSessionRequest, WatchSessionResponse, send_chat_request::What,
};
use ids::CallId;
use reqwest::Response;
use serde_json::Value;
use tonic::{Status, Streaming};

use super::{FORCE, OFFICER, PATIENCE, Rig};

impl Rig {
    /// Writes, as a page does.
    pub async fn post(&self, token: &str, body: &Value) -> Response {
        self.http.post(format!("{}/chat", self.base)).bearer_auth(token).json(body).send().await.unwrap()
    }

    /// The caller comes: their token.
    pub async fn caller(&self, call: CallId) -> String {
        let code = self.invite(call).await.unwrap().code;
        self.type_code(&code).await.1["token"].as_str().unwrap().to_owned()
    }

    /// What the officer asks to have written.
    pub fn saying(&self, call: CallId, what: What) -> SendChatRequest {
        SendChatRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
            what: Some(what),
            language: String::new(),
        }
    }

    /// Watches a call as staff do, and so what is written in it.
    pub async fn reading(&self, call: CallId, staff: &str) -> Streaming<WatchSessionResponse> {
        let request =
            WatchSessionRequest { force_id: FORCE.to_owned(), call_id: call.to_string(), officer_id: staff.to_owned() };
        self.desk.clone().watch_session(request).await.unwrap().into_inner()
    }

    /// The officer writes.
    pub async fn say_to(&self, request: &SendChatRequest) -> Result<SendChatResponse, Status> {
        Ok(self.desk.clone().send_chat(request.clone()).await?.into_inner())
    }
}

/// The next line that is written.
pub async fn next_line(read: &mut Streaming<WatchSessionResponse>) -> ChatLine {
    let hearing = async {
        loop {
            if let Some(line) = read.message().await.unwrap().expect("the stream goes on").chat {
                return line;
            }
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect("it is heard")
}

/// The lines of a page's events.
pub struct Ear(Response, String);

impl Ear {
    pub async fn open(rig: &Rig, token: &str) -> Self {
        let answer = rig.http.get(format!("{}/events", rig.base)).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self(answer, String::new())
    }

    /// The next event of that name.
    pub async fn next(&mut self, wanted: &str) -> Value {
        let hearing = async {
            loop {
                while let Some((event, rest)) = self.1.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.1 = rest;
                    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                    if field("event:") == Some(wanted) {
                        return serde_json::from_str(field("data:").unwrap()).unwrap();
                    }
                }
                let chunk = self.0.chunk().await.unwrap().expect("the stream goes on");
                self.1 += &String::from_utf8_lossy(&chunk);
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("it is heard")
    }
}
