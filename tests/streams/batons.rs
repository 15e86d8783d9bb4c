//! Batons: each works once, on its own database; a reply that was lost can be had again.

use hrana_protocol::http::{PipelineReqBody, PipelineRespBody};
use hrana_protocol::{Encoding, StreamRequest, StreamResult};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use super::{execute, post};
use crate::harness::{Http, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_baton_works_once_and_a_repeated_request_gets_the_same_reply() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("CREATE TABLE t(a)").await;
    let baton = stream.baton.clone();
    let insert = json!([execute("INSERT INTO t VALUES(1)")]);
    let first = server.pipeline(baton.as_deref(), insert.clone()).await;
    let again = server.pipeline(baton.as_deref(), insert).await;
    assert_eq!(first.body, again.body);
    assert_eq!(server.execute("SELECT count(*) FROM t").await["rows"][0][0]["value"], "1");

    let other = server.pipeline(baton.as_deref(), json!([execute("SELECT 2")])).await;
    assert!(other.failure(400).contains("already been used"));
    // The stream itself is well.
    stream.baton = first.json()["baton"].as_str().map(str::to_owned);
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_commit_and_close_can_be_had_again() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").await;
    let end = json!([execute("COMMIT"), { "type": "close" }]);
    let first = server.pipeline(stream.baton.as_deref(), end.clone()).await;
    let again = server.pipeline(stream.baton.as_deref(), end).await;
    assert_eq!(first.body, again.body);
    assert_eq!(first.json()["results"][0]["type"], "ok");
    assert_eq!(first.json()["baton"], Value::Null);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baton_is_good_on_its_own_database_only() {
    let server = TestServer::start().await;
    server.create_database("other").await;
    let mut stream = server.stream();
    stream.execute("SELECT 1").await;
    let body = json!({ "baton": stream.baton, "requests": [execute("SELECT 1")] }).to_string();
    let answer = server.post("/db/other/v3/pipeline", body).await;
    assert!(answer.failure(400).contains("invalid baton"));
    let long = "A".repeat(32);
    for baton in ["", "x", "😀", &long] {
        let answer = server.pipeline(Some(baton), json!([execute("SELECT 1")])).await;
        assert!(answer.failure(400).contains("invalid baton"), "{baton}");
    }
    assert_eq!(stream.value("SELECT 1").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_twice_at_once_is_executed_once() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("CREATE TABLE t(a)").await;
    let many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000)
                INSERT INTO t SELECT count(*) FROM c";
    let request = || server.pipeline(stream.baton.as_deref(), json!([execute(many)]));
    let (one, two, three) = tokio::join!(request(), request(), request());
    assert_eq!(one.status, 200, "{}", one.text());
    assert_eq!((&one.body, &one.body), (&two.body, &three.body));
    assert_eq!(server.execute("SELECT count(*) FROM t").await["rows"][0][0]["value"], "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_too_large_to_be_kept_is_not_made_anew() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("CREATE TABLE t(a)").await;
    let insert = json!([execute("INSERT INTO t VALUES(printf('%.*c', 300000, 'x')) RETURNING a")]);
    let first = server.pipeline(stream.baton.as_deref(), insert.clone()).await;
    let again = server.pipeline(stream.baton.as_deref(), insert).await;
    assert!(again.failure(400).contains("its reply is not kept"), "{}", again.text());
    assert_eq!(again.json()["code"], "BATON_REUSED");
    stream.baton = first.json()["baton"].as_str().map(str::to_owned);
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_baton_of_a_closed_stream_is_no_good() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("SELECT 1").await;
    let baton = stream.baton.clone();
    stream.close().await;
    assert_eq!(stream.baton, None);
    let answer = server.pipeline(baton.as_deref(), json!([execute("SELECT 1")])).await;
    answer.failure(400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_on_over_other_connections_versions_and_encodings() {
    let server = TestServer::start().await;
    let begin =
        json!([execute("CREATE TABLE t(a)"), execute("BEGIN"), execute("INSERT INTO t VALUES(1)")]);
    let body = json!({ "requests": begin });
    let begun = server.send(Http::One, post(&server, "/v2/pipeline", &body)).await.json();

    let insert = hrana_protocol::Stmt::new("INSERT INTO t VALUES(2)");
    let body = PipelineReqBody {
        baton: begun["baton"].as_str().map(str::to_owned),
        requests: vec![StreamRequest::Execute { stmt: insert }],
    };
    let mut bytes = Vec::new();
    Encoding::Protobuf.encode(&body, &mut bytes);
    let request = Request::post(server.url("/v3-protobuf/pipeline")).body(Full::from(bytes));
    let answer = server.send(Http::Two, request.unwrap()).await;
    let reply: PipelineRespBody = Encoding::Protobuf.decode(&answer.body).unwrap();
    assert!(matches!(reply.results[..], [StreamResult::Ok { .. }]), "{reply:?}");

    let body =
        json!({ "baton": reply.baton, "requests": [execute("COMMIT"), { "type": "close" }] });
    let ended = server.send(Http::Two, post(&server, "/v3/pipeline", &body)).await.json();
    assert_eq!((&ended["results"][0]["type"], &ended["baton"]), (&json!("ok"), &Value::Null));
    assert_eq!(server.execute("SELECT sum(a) FROM t").await["rows"][0][0]["value"], "3");
    server.stop().await;
}
