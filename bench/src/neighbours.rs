//! A hot tenant beside many calm ones: how long the calm wait, alone and beside it. The calm ask by a fixed schedule
//! (`open_loop`); the hot one scans and writes in a closed loop, as fast as it is let.

use std::path::Path;
use std::time::Duration;

use crate::api::{Api, Role};
use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::clients::KeptAlive;
use crate::driver::{Failures, Measured, Requests, drive_all};
use crate::open_loop;
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::statements::{self, statement};
use crate::tenants::{QUERY, SCHEMA};
use crate::workload::check;
use crate::{Result, say};

/// Requests of all calm tenants together, in a second: little, on any of these servers.
const CALM_PER_SECOND: u32 = 200;
const CALM_CLIENTS: usize = 16;
const HOT_CLIENTS: usize = 16;

/// Longer than other measurements: a p99 needs some hundred requests.
const LENGTHS: u32 = 3;

/// How often a database is asked for before it counts as lost, and the time in between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

const SCAN: &str = "SELECT sum(length(name)) FROM items";

pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if !args.wants(Scenario::HotTenant) {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    for kind in Kind::all(args).filter(|kind| *kind != Kind::Floor) {
        let place = directory.path().join(kind.name());
        let server = Server::start_with_admin(kind, args, &place).await?;
        prepare(&server, &place, extent.databases).await?;
        let (calm, hot) = (calm(&server, extent.databases), hot(&server));
        let mut client = Client::connect(server.address).await?;
        check(client.ask(&calm[0]).await?, "the only item")?;
        check(client.ask(&hot[0]).await?, "\"type\":\"integer\"")?;
        let length = extent.length * LENGTHS;
        for round in 1..=extent.rounds {
            say(&mut std::io::stderr(), &format!("neighbours, round {round} of {}", extent.rounds));
            let name = format!("hot_tenant beside {} calm", extent.databases);
            let alone = ask_calmly(&server, &calm, length).await?;
            report.add_waits(&format!("{name}: the calm, alone"), kind, &alone);
            let burdening = KeptAlive::many(server.address, &hot, HOT_CLIENTS).await?;
            let burden = drive_all(burdening, Duration::ZERO, length, Failures::of(kind));
            let (beside, burden) = tokio::try_join!(ask_calmly(&server, &calm, length), burden)?;
            report.add_waits(&format!("{name}: the calm, beside"), kind, &beside);
            report.add(&format!("{name}: the hot"), Unit::PerSecond, kind, burden.per_second);
        }
    }
    Ok(())
}

async fn ask_calmly(server: &Server, requests: &Requests, length: Duration) -> Result<Measured> {
    let clients = KeptAlive::many(server.address, requests, CALM_CLIENTS).await?;
    open_loop::drive(clients, CALM_PER_SECOND, length, Failures::of(server.kind)).await
}

async fn prepare(server: &Server, directory: &Path, count: u32) -> Result<()> {
    let name = server.kind.name();
    say(&mut std::io::stderr(), &format!("{name}: creating {count} calm tenants"));
    let api = Api::of(server, directory)?;
    let mut administrator = Client::connect(api.address).await?;
    let mut client = Client::connect(server.address).await?;
    for index in 0..count {
        let name = calm_name(index);
        let create = api.create(&name, Role::Plain);
        administrator.ask(&create).await?;
        for sql in SCHEMA {
            let request = request(server, &name, &statement(sql, None));
            let mut tries = 1;
            while let Err(error) = client.ask(&request).await {
                if tries == TRIES || !is_lost(server, &*error) {
                    return Err(error);
                }
                tries += 1;
                tokio::time::sleep(PAUSE).await;
                let _ = administrator.ask(&create).await;
            }
        }
    }
    administrator.ask(&api.create("hot", Role::Plain)).await?;
    for sql in statements::SCHEMA {
        client.ask(&request(server, "hot", &statement(sql, None))).await?;
    }
    Ok(())
}

/// libsql-server does not know some of the databases that it says it has created.
fn is_lost(server: &Server, error: &dyn std::error::Error) -> bool {
    server.kind == Kind::LibsqlServer && error.to_string().contains("status 404")
}

fn calm(server: &Server, count: u32) -> Requests {
    let query = statement(QUERY, None);
    (0..count).map(|index| request(server, &calm_name(index), &query)).collect()
}

fn hot(server: &Server) -> Requests {
    [statement(SCAN, None), statements::insert()]
        .iter()
        .map(|stmt| request(server, "hot", stmt))
        .collect()
}

fn request(server: &Server, database: &str, stmt: &str) -> Box<[u8]> {
    client::execute_on(server.address, database, stmt)
}

fn calm_name(index: u32) -> String {
    format!("calm-{index}")
}
