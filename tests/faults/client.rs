//! A client of databases by their names, and what it is told, in a form that is easily compared.

use serde_json::{Value, json};

use crate::harness::TestServer;

/// What a statement was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

pub(super) type Outcome = Result<String, Refusal>;

/// The request of a pipeline that executes a statement.
pub(super) fn execute(sql: &str) -> Value {
    json!({ "type": "execute", "stmt": { "sql": sql } })
}

/// What a pipeline has answered: the first error, or else the rows of the last statement.
pub(super) fn outcome(body: &Value) -> Outcome {
    let results = body["results"].as_array().unwrap_or_else(|| panic!("{body}"));
    let mut last = String::new();
    for result in results {
        if result["type"] != "ok" {
            return Err(refusal(&result["error"]));
        }
        if result["response"]["type"] == "execute" {
            last = rows(&result["response"]["result"]);
        }
    }
    Ok(last)
}

fn refusal(error: &Value) -> Refusal {
    let text = |field: &str| error[field].as_str().unwrap_or_else(|| panic!("{error}")).to_owned();
    Refusal { code: text("code"), message: text("message") }
}

/// Rows with a comma in between, values with a bar.
fn rows(result: &Value) -> String {
    let value = |value: &Value| match &value["value"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |row: &Value| row.as_array().unwrap().iter().map(value).collect::<Vec<_>>().join("|");
    result["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>().join(",")
}

/// A client of one database.
pub(super) struct Client<'a> {
    server: &'a TestServer,
    path: String,
    baton: Option<String>,
}

/// A client of the database of this name.
pub(super) fn on<'a>(server: &'a TestServer, name: &str) -> Client<'a> {
    Client { server, path: format!("/db/{name}/v2/pipeline"), baton: None }
}

impl Client<'_> {
    /// Executes a statement on the client's stream.
    pub(super) async fn ask(&mut self, sql: &str) -> Outcome {
        let body = self.send(json!([execute(sql)])).await;
        self.baton = body["baton"].as_str().map(str::to_owned);
        outcome(&body)
    }

    /// Executes statements on a stream of their own, none of which may fail.
    pub(super) async fn run(&self, sqls: &[&str]) -> String {
        self.attempt(sqls).await.unwrap_or_else(|refusal| panic!("{sqls:?}: {refusal:?}"))
    }

    /// Executes statements on a stream of their own, one by one.
    pub(super) async fn attempt(&self, sqls: &[&str]) -> Outcome {
        let requests = sqls.iter().map(|sql| execute(sql));
        let requests: Vec<_> = requests.chain([json!({ "type": "close" })]).collect();
        let body = json!({ "requests": requests }).to_string();
        outcome(&self.server.post(&self.path, body).await.json())
    }

    /// Executes a batch without conditions. What each step was told.
    pub(super) async fn batch(&self, sqls: &[&str]) -> Vec<Outcome> {
        let steps: Vec<_> = sqls.iter().map(|sql| json!({ "stmt": { "sql": sql } })).collect();
        let batch = json!({ "type": "batch", "batch": { "steps": steps } });
        let body = json!({ "requests": [batch, { "type": "close" }] }).to_string();
        let body = self.server.post(&self.path, body).await.json();
        let result = &body["results"][0]["response"]["result"];
        let results = result["step_results"].as_array().unwrap_or_else(|| panic!("{body}"));
        let errors = result["step_errors"].as_array().unwrap();
        let told = |(result, error): (&Value, &Value)| match error {
            Value::Null => Ok(rows(result)),
            error => Err(refusal(error)),
        };
        results.iter().zip(errors).map(told).collect()
    }

    async fn send(&self, requests: Value) -> Value {
        let body = json!({ "baton": self.baton, "requests": requests }).to_string();
        let answer = self.server.post(&self.path, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}
