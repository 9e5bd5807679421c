//! `cargo bench`: the figures of the README, each compared with direct access to the upstream in the same run.
//!
//! The program runs as a child process behind real sockets. The load comes from this process, with the same code for
//! every target, so its own cost is the same in every column. `cargo bench -- --program FILE` measures that program,
//! for example one from packaging/release.sh, instead of the one that cargo builds. `cargo bench -- --smoke` measures
//! everything only briefly: it shows that the bench works, not how fast the gateway is. `-- --calls` measures only
//! calls through the gateway, `-- --https` only what its own TLS costs, `-- --races` only what races cost,
//! `-- --viewers` only what a race page costs that many people have open, and `-- --console` only what the console costs.
#![expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
#![expect(
    clippy::disallowed_methods,
    reason = "a bench has tasks, an environment and a clock of its own"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value that lacks a member is null, two targets are two"
)]

mod client;
mod console;
mod crowd;
mod figures;
mod house;
mod https;
mod load;
mod machine;
mod person;
mod processes;
mod races;
mod restart;
mod upstream;
mod viewers;
mod wire;

use std::process::ExitCode;

use anyhow::{Context, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let done = runtime.context("no runtime").and_then(|runtime| {
        if has("--upstream") {
            runtime.block_on(serve_as_upstream())
        } else {
            drop(rustls::crypto::ring::default_provider().install_default());
            let part = ["--calls", "--https", "--races", "--viewers", "--console"]
                .into_iter()
                .find(|part| has(part));
            runtime.block_on(measure(has("--smoke"), part))
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("the bench failed: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve_as_upstream() -> Result<()> {
    let host = std::env::var("GARMIN_MCP_HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = std::env::var("GARMIN_MCP_PORT")
        .context("GARMIN_MCP_PORT")?
        .parse()?;
    upstream::run(&host, port).await
}

async fn measure(smoke: bool, part: Option<&str>) -> Result<()> {
    println!("{}", machine::described()?);
    if smoke {
        println!("A smoke run: these figures say that the bench works, nothing else.");
    }
    println!();
    let rows = match part {
        Some("--https") => https::all(smoke).await?,
        Some("--races") => races::all(smoke).await?,
        Some("--viewers") => viewers::all(smoke).await?,
        Some("--console") => console::all(smoke).await?,
        part => figures::all(smoke, part.is_some()).await?,
    };
    println!("| | gateway | upstream directly | nginx | wanted |");
    println!("|---|---:|---:|---:|---|");
    for row in &rows {
        println!("{row}");
    }
    println!("\n{} figures", rows.len());
    Ok(())
}
