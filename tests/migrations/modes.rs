//! Rolling migrations, and canaries.

use hyper::Method;
use serde_json::{Value, json};

use super::{create_child, done, get, set_configuration, start_with_children};

const SHOW: &str = "/v1/databases/sch/configuration";

#[tokio::test(flavor = "multi_thread")]
async fn how_migrations_run_can_be_set_of_schema_databases_only() {
    let server = start_with_children(&["a"]).await;
    let shown = server.platform(Method::GET, SHOW, Value::Null).await.json();
    assert_eq!(
        (&shown["migration_mode"], &shown["migration_canaries"]),
        (&json!("locked"), &json!(0))
    );
    let body = json!({ "migration_mode": "rolling", "migration_canaries": 2 });
    let answer = set_configuration(&server, "sch", body.clone()).await.json();
    assert_eq!(
        (&answer["migration_mode"], &answer["migration_canaries"]),
        (&json!("rolling"), &json!(2))
    );
    // What is not said stays.
    set_configuration(&server, "sch", json!({ "block_reads": false })).await;
    let shown = server.platform(Method::GET, SHOW, Value::Null).await.json();
    assert_eq!(
        (&shown["migration_mode"], &shown["migration_canaries"]),
        (&json!("rolling"), &json!(2))
    );
    let refused = set_configuration(&server, "a", body).await.failure(400);
    assert!(refused.contains("are of schema databases, and a is none"), "{refused}");
    let odd = set_configuration(&server, "sch", json!({ "migration_mode": "fast" })).await;
    assert!(odd.failure(400).contains("migration_mode"));
    let plain = server.platform(Method::GET, "/v1/databases/a/configuration", Value::Null).await;
    assert_eq!(plain.json().get("migration_mode"), None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_rolling_mode_cold_children_are_migrated_when_they_are_used() {
    let server = start_with_children(&["a", "b"]).await;
    set_configuration(&server, "sch", json!({ "migration_mode": "rolling" })).await;
    // After a start nobody has used a child yet.
    let server = server.restart().await;
    done(&server, "a", "SELECT 1").await;
    done(&server, "sch", "ALTER TABLE t ADD COLUMN m DEFAULT 7").await;
    let job = get(&server, "/db/sch/v1/jobs/2").await;
    assert_eq!((&job["status"], &job["rolling"]), (&json!("RunSuccess"), &json!(true)));
    assert_eq!(counts(&job), [1, 1, 0], "{job}");
    assert_eq!(job["progress"][1]["status"], "WaitingRun");
    // One more, and a child that is created meanwhile.
    done(&server, "sch", "UPDATE t SET m = m + 1").await;
    create_child(&server, "c", "sch").await;
    done(&server, "b", "INSERT INTO t (id) VALUES (1)").await;
    assert_eq!(done(&server, "b", "SELECT m FROM t").await["rows"][0][0]["value"], "7");
    for id in [2, 3] {
        let job = get(&server, &format!("/db/sch/v1/jobs/{id}")).await;
        assert_eq!(counts(&job), [2, 0, 0], "{job}");
    }
    assert_eq!(done(&server, "c", "SELECT m FROM t").await["rows"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_with_canaries_still_reaches_all() {
    let server = start_with_children(&["a", "b", "c"]).await;
    set_configuration(&server, "sch", json!({ "migration_canaries": 1 })).await;
    done(&server, "sch", "ALTER TABLE t ADD COLUMN m").await;
    let job = get(&server, "/db/sch/v1/jobs/2").await;
    assert_eq!((counts(&job), &job["canaries"]), ([3, 0, 0], &json!(1)), "{job}");
    for name in ["a", "b", "c"] {
        done(&server, name, "SELECT m FROM t").await;
    }
    server.stop().await;
}

/// Done, pending, failed.
fn counts(job: &Value) -> [i64; 3] {
    ["done", "pending", "failed"].map(|field| job[field].as_i64().unwrap())
}
