//! A run: the measurements that are wanted, one after the other, and the table at the end.

use std::path::Path;
use std::process::Command;

use crate::args::{Extent, RunArgs};
use crate::report::Report;
use crate::server::Kind;
use crate::{
    Result, databases, growth, idle, in_process, load, migrations, neighbours, plots, say, tenants,
    tokens, touch,
};

/// Measures what `args` asks for and prints the table.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let extent = args.extent();
    if let (Some(cargo), None) = (&args.cargo, &args.hranad) {
        build(cargo)?;
    }
    for kind in Kind::all_under_load(args) {
        let program = kind.program(args)?;
        say(&mut std::io::stderr(), &format!("{}: {}", kind.name(), program.display()));
    }
    let mut report = Report::default();
    // One thread: what it does not use is the servers'.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = measure(args, extent, &mut report) => measured,
            _ = tokio::signal::ctrl_c() => Err("interrupted before all was measured".into()),
        }
    });
    // What was measured before a failure has taken its time, too.
    let measured = measured.and_then(|()| in_process::measure(args, extent, &mut report));
    say(&mut std::io::stdout(), report.table().trim_end());
    if let Some(directory) = &args.report {
        plots::write(&report, directory)?;
    }
    measured
}

/// Everything that needs servers.
async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    load::measure(args, extent, report).await?;
    tokens::measure(args, extent, report).await?;
    databases::measure(args, extent, report).await?;
    migrations::measure(args, extent, report).await?;
    tenants::measure(args, extent, report).await?;
    idle::measure(args, extent, report).await?;
    neighbours::measure(args, extent, report).await?;
    touch::measure(args, extent, report).await?;
    growth::measure(args, extent, report).await
}

/// Builds hranad beside this program, so that what is measured is what the sources say.
fn build(cargo: &Path) -> Result<()> {
    let mut command = Command::new(cargo);
    command.args(["build", "--locked", "--package", "hranad", "--bin", "hranad"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    match command.current_dir(env!("CARGO_MANIFEST_DIR")).status()? {
        status if status.success() => Ok(()),
        status => Err(format!("hranad could not be built: {status}").into()),
    }
}
