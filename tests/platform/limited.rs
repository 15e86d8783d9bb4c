//! A token of the platform API that is for one group: of others it learns nothing.

use hyper::Method;
use serde_json::{Value, json};

use super::names;
use crate::harness::{Answer, TestServer};

/// A server with the databases `a`, `c` and `d` in the group `team`, and `better` and `default` in another.
async fn start() -> (TestServer, String) {
    let server = TestServer::start().await;
    let group = json!({ "name": "team", "location": "local" });
    assert_eq!(server.platform(Method::POST, "/v1/groups", group).await.status, 200);
    for (name, group) in [("a", "team"), ("better", "default"), ("c", "team"), ("d", "team")] {
        let body = json!({ "name": name, "group": group });
        assert_eq!(server.platform(Method::POST, "/v1/databases", body).await.status, 200);
    }
    let body = json!({ "group": "team" });
    let minted = server.platform(Method::POST, "/v1/auth/api-tokens/limited", body).await.json();
    let token = format!("Bearer {}", minted["token"].as_str().unwrap());
    (server, token)
}

async fn ask(
    (server, token): &(TestServer, String),
    method: Method,
    path: &str,
    body: Value,
) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.request(method, path, &[("authorization", token)], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_what_it_may_see_and_say_nothing_of_the_rest() {
    let limited = start().await;
    let page = async |query: &str| {
        let path = format!("/v1/databases?{query}");
        ask(&limited, Method::GET, &path, Value::Null).await.json()
    };
    let all = page("").await;
    assert_eq!(names(&all), ["a", "c", "d"]);
    let first = page("limit=2").await;
    assert_eq!((names(&first), &first["pagination"]["next"]), (vec!["a", "c"], &json!("c")));
    let last = page("limit=2&cursor=c").await;
    assert_eq!((names(&last), &last["pagination"]["next"]), (vec!["d"], &Value::Null));
    let others = page("limit=1&group=default").await;
    assert_eq!((names(&others), &others["pagination"]["next"]), (vec![], &Value::Null));
    limited.0.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_another_group_is_answered_for_as_if_it_were_not_there() {
    let limited = start().await;
    let seed = |name: &str| json!({ "type": "database", "name": name });
    let attach = |name: &str| json!({ "permissions": { "read_attach": { "databases": [name] } } });
    let there = ["better", "default"];
    let nowhere = ["nobody", "nowhere"];
    let mut answers = Vec::new();
    for [database, group] in [there, nowhere] {
        let mut all = Vec::new();
        for (method, path, body) in [
            (Method::GET, format!("/v1/databases/{database}"), Value::Null),
            (Method::DELETE, format!("/v1/databases/{database}"), Value::Null),
            (Method::GET, format!("/v1/databases/{database}/usage"), Value::Null),
            (Method::POST, format!("/v1/databases/{database}/auth/rotate"), Value::Null),
            (Method::POST, "/v1/databases/a/auth/tokens".to_owned(), attach(database)),
            (
                Method::POST,
                "/v1/databases".to_owned(),
                json!({ "name": "new", "group": "team", "seed": seed(database) }),
            ),
            (Method::POST, "/v1/databases".to_owned(), json!({ "name": "new", "group": group })),
            (Method::GET, format!("/v1/groups/{group}"), Value::Null),
            (Method::DELETE, format!("/v1/groups/{group}"), Value::Null),
        ] {
            let answer = ask(&limited, method.clone(), &path, body).await;
            assert!([400, 404].contains(&answer.status.as_u16()), "{path} {answer:?}");
            let plain = |text: &str| text.replace(database, "DATABASE").replace(group, "GROUP");
            all.push((method, plain(&path), answer.status, plain(answer.text())));
        }
        answers.push(all);
    }
    assert_eq!(answers[0], answers[1]);
    limited.0.stop().await;
}
