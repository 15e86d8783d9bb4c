//! What it costs that a request shows a token: the same point reads with and without, in turn. Also without a token and
//! with a header of the same length that nobody reads, since a token is as long as the rest of the request.

use std::path::Path;
use std::time::Duration;

use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::driver::{Requests, drive};
use crate::placement::Apart;
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::{Result, load, say, statements};

/// Tokens that are shown in turn: every tenant has one.
const TOKENS: usize = 1000;

/// How long each side of a pair is measured in a round, in lengths of other measurements; and in parts of which length:
/// what is looked for is smaller than the noise of one, and noise comes and goes within seconds.
const LENGTHS: u32 = 3;
const PARTS_PER_LENGTH: u32 = 4;
const SHORTEST: Duration = Duration::from_millis(50);

pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if !args.wants(Scenario::TokenPointRead) {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let server = Server::start(Kind::Hranad, args, directory.path()).await?;
    let mut client = Client::connect(server.address).await?;
    load::fill(&server).await?;
    let tokens = mint(&mut client, &server, directory.path()).await?;
    let requests = |headers: &[String]| -> Requests {
        let read = |(index, stmt): (usize, &String)| {
            let header = &headers[index % headers.len()];
            client::execute_with(server.address, "", header, stmt)
        };
        statements::point_reads().iter().enumerate().map(read).collect()
    };
    let shown: Vec<_> =
        tokens.iter().map(|token| format!("authorization: Bearer {token}\r\n")).collect();
    let unread = format!("x-unread-head: Nobody {}\r\n", tokens[0]);
    let (one, many) = (requests(&shown[..1]), requests(&shown));
    let (none, unread) = (requests(&[String::new()]), requests(&[unread]));
    let length = (extent.length / PARTS_PER_LENGTH).max(SHORTEST);
    let warm_up = extent.warm_up / PARTS_PER_LENGTH;
    let pairs = (extent.length * LENGTHS).div_duration_f64(length).ceil() as u32;
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("tokens, round {round} of {}", extent.rounds));
        for clients in [1, 32] {
            let _apart = if clients == 1 { Apart::place(server.id())? } else { None };
            let many_name = format!("{TOKENS} tokens");
            for (name, without, with) in [
                ("1 token", &none, &one),
                ("1 token, not its bytes", &unread, &one),
                (&many_name, &none, &many),
                (&format!("{many_name}, not their bytes"), &unread, &many),
            ] {
                for _ in 0..pairs {
                    let without = drive(server.address, without, clients, warm_up, length).await?;
                    let with = drive(server.address, with, clients, warm_up, length).await?;
                    let cost = (without.per_second / with.per_second - 1.0) * 100.0;
                    let name = format!("token_point_read, {clients} clients, {name}");
                    report.add(&name, Unit::Percent, Kind::Hranad, cost);
                }
            }
        }
    }
    Ok(())
}

/// Tokens of the database `default`.
async fn mint(client: &mut Client, server: &Server, directory: &Path) -> Result<Vec<String>> {
    let owner = std::fs::read_to_string(directory.join("api-token"))?;
    let authorization = format!("authorization: Bearer {}\r\n", owner.trim());
    let mut tokens = Vec::new();
    for index in 0..TOKENS {
        // Different ones, though they are made in the same second.
        let path = format!("/v1/databases/default/auth/tokens?expiration={}d", index + 1);
        let answer = client.ask(&client::post(server.address, &path, &authorization, "{}")).await?;
        let answer = std::str::from_utf8(answer)?;
        let token = answer.split('"').find(|part| part.starts_with("ey"));
        tokens.push(token.ok_or("there is no token in the answer")?.to_owned());
    }
    Ok(tokens)
}
