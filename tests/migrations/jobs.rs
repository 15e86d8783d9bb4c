//! `/v1/jobs`: shapes, paging, and what is not there.

use hyper::Method;
use serde_json::{Value, json};

use super::{create_child, create_schema, done, fails, get, start_with_children};
use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_have_the_shapes_of_sqld_and_more() {
    let server = start_with_children(&["a", "b"]).await;
    done(&server, "sch", "ALTER TABLE t ADD COLUMN m").await;
    let listed = get(&server, "/db/sch/v1/jobs").await;
    assert_eq!(listed["schema_version"], 2);
    let jobs = listed["migrations"].as_array().unwrap();
    let ids: Vec<_> = jobs.iter().map(|job| job["job_id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 1], "the newest first");
    assert!(jobs.iter().all(|job| job["status"] == "RunSuccess"), "{listed}");
    assert_eq!(
        (&jobs[0]["done"], &jobs[0]["pending"], &jobs[0]["failed"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!((&jobs[0]["rolling"], &jobs[0]["cancelled"]), (&json!(false), &json!(false)));
    for field in ["created_at", "finished_at"] {
        let time = jobs[0][field].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    }

    let job = get(&server, "/db/sch/v1/jobs/2").await;
    assert_eq!((&job["job_id"], &job["status"]), (&json!(2), &json!("RunSuccess")));
    assert_eq!(job.get("error"), None);
    let children = job["progress"].as_array().unwrap();
    for (child, name) in children.iter().zip(["a", "b"]) {
        assert_eq!((&child["namespace"], &child["status"]), (&json!(name), &json!("RunSuccess")));
        assert_eq!((&child["error"], &child["attempts"]), (&Value::Null, &json!(0)));
        assert!(child["finished_at"].is_string());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_without_a_migration_tells_of_its_creation() {
    let server = TestServer::start().await;
    create_schema(&server, "sch").await;
    let listed = get(&server, "/db/sch/v1/jobs").await;
    assert_eq!(listed["migrations"][0]["job_id"], 0);
    assert_eq!(listed["migrations"][0]["status"], "RunSuccess");
    let job = get(&server, "/db/sch/v1/jobs/0").await;
    assert_eq!((&job["status"], &job["progress"]), (&json!("RunSuccess"), &json!([])));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_their_children_come_in_pages() {
    let server = start_with_children(&["a", "b", "c"]).await;
    for column in ["x", "y", "z"] {
        done(&server, "sch", &format!("ALTER TABLE t ADD COLUMN {column}")).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/db/sch/v1/jobs?limit=3".to_owned());
    loop {
        let page = get(&server, &path).await;
        let jobs = page["migrations"].as_array().unwrap();
        seen.extend(jobs.iter().map(|job| job["job_id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_i64() else { break };
        path = format!("/db/sch/v1/jobs?limit=3&before={next}");
    }
    assert_eq!(seen, [4, 3, 2, 1]);
    let beyond = get(&server, "/db/sch/v1/jobs?before=1").await;
    assert_eq!(beyond["migrations"], json!([]));

    let first = get(&server, "/db/sch/v1/jobs/4?limit=2").await;
    assert_eq!((first["progress"].as_array().unwrap().len(), &first["next"]), (2, &json!("b")));
    let rest = get(&server, "/db/sch/v1/jobs/4?limit=2&after=b").await;
    assert_eq!(rest["progress"][0]["namespace"], "c");
    assert_eq!(rest.get("next"), None);
    server.get("/db/sch/v1/jobs?limit=many").await.failure(400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_says_so() {
    let server = start_with_children(&["a"]).await;
    create_schema(&server, "other").await;
    create_child(&server, "b", "other").await;
    done(&server, "other", "CREATE TABLE u (id)").await;
    for (path, status, message) in [
        ("/db/a/v1/jobs", 400, "Invalid namespace"),
        ("/db/a/v1/jobs/1", 400, "Invalid namespace"),
        ("/v1/jobs", 400, "Invalid namespace"),
        ("/db/sch/v1/jobs/2", 404, "couldn't find requested migration job"),
        ("/db/sch/v1/jobs/99", 404, "couldn't find requested migration job"),
        ("/db/sch/v1/jobs/last", 400, "not the number of a migration job"),
    ] {
        let answer = server.get(path).await;
        assert!(answer.failure(status).starts_with(message) || status == 400, "{path}");
        assert!(answer.failure(status).contains(message), "{path}: {answer:?}");
    }
    assert_eq!(server.get("/db/a/v1/jobs").await.json()["error"], "Invalid namespace");
    for (path, status) in [
        ("/db/sch/v1/jobs/1/retry", 200),
        ("/db/sch/v1/jobs/1/resume", 200),
        ("/db/sch/v1/jobs/1/cancel", 400),
        ("/db/sch/v1/jobs/2/cancel", 404),
        ("/db/a/v1/jobs/1/cancel", 400),
    ] {
        let answer = server.request(Method::POST, path, &[], "").await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_dry_run_names_child_and_step_and_changes_nothing() {
    let server = start_with_children(&["a", "b"]).await;
    done(&server, "b", "INSERT INTO t VALUES (1, 'x'), (2, 'y')").await;
    let why = fails(&server, "sch", "INSERT INTO t VALUES (2, 'z')").await;
    assert!(why.contains("`b`") && why.contains("step 1: "), "{why}");
    assert!(why.contains("UNIQUE constraint failed: t.id"), "{why}");
    let job = get(&server, "/db/sch/v1/jobs/2").await;
    assert_eq!(job["status"], "DryRunFailure");
    assert!(job["error"].as_str().unwrap().contains("nothing was changed anywhere"), "{job}");
    let of_b = &job["progress"][1];
    assert_eq!((&of_b["namespace"], &of_b["status"]), (&json!("b"), &json!("DryRunFailure")));
    assert!(of_b["error"].as_str().unwrap().contains("UNIQUE constraint failed"), "{job}");
    assert_eq!((&job["pending"], &job["failed"]), (&json!(0), &json!(1)));
    for name in ["a", "sch"] {
        assert_eq!(done(&server, name, "SELECT * FROM t").await["rows"], json!([]));
    }
    // There is nothing to settle.
    done(&server, "sch", "CREATE TABLE next (id)").await;
    let retried = server.request(Method::POST, "/db/sch/v1/jobs/2/retry", &[], "").await;
    assert!(retried.failure(400).contains("cannot be tried again"));
    server.stop().await;
}
