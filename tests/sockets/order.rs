//! The order of the requests of a stream, whichever of them are done at once and whichever take their time.

use serde_json::json;

use crate::harness::TestServer;
use crate::harness::socket::Socket;

const SLOW: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) \
                    SELECT max(n) FROM c";

#[tokio::test(flavor = "multi_thread")]
async fn quick_and_slow_requests_are_done_and_answered_in_order() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    assert_eq!(socket.execute("CREATE TABLE t(a)").await["type"], "execute");
    let kinds = [
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t",
        "INSERT INTO t VALUES(1)",
        "SELECT count(*) FROM t",
        SLOW,
        "SELECT count(*) FROM t",
        "BEGIN",
        "INSERT INTO t VALUES(2)",
        "SELECT count(*) FROM t",
        "COMMIT",
        "SELECT no_such_column",
    ];
    const ROUNDS: usize = 20;
    let requests = kinds.iter().cycle().take(ROUNDS * kinds.len());
    for (id, sql) in requests.enumerate() {
        let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": sql } });
        socket.request(id as i32, execute).await;
    }
    let last = json!({ "type": "close_stream", "stream_id": 1 });
    socket.request((ROUNDS * kinds.len()) as i32, last).await;
    for round in 0..ROUNDS {
        for (place, sql) in kinds.iter().enumerate() {
            let answer = socket.hear().await;
            assert_eq!(answer["request_id"], round * kinds.len() + place, "{answer}");
            // Two rows are added in each round, one of them before the third request and one before the eighth.
            let count = 2 * round + usize::from(place > 2) + usize::from(place > 7);
            let value = &answer["response"]["result"]["rows"][0][0]["value"];
            if *sql == "SELECT count(*) FROM t" {
                assert_eq!(*value, count.to_string(), "request {place} of round {round}");
            }
            assert_eq!(answer["type"] == "response_error", *sql == "SELECT no_such_column");
        }
    }
    assert_eq!(socket.hear().await["response"]["type"], "close_stream");
    server.stop().await;
}
