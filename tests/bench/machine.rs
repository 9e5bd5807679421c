//! A description of the machine that the figures were measured on.

use std::fs;

use anyhow::{Context, Result};

/// One line with processor, cores, memory and kernel.
pub(crate) fn described() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism()?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .context("no MemTotal")?;
    let kib: f64 = total.trim().trim_end_matches("kB").trim().parse()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let gib = kib / 1024.0 / 1024.0;
    Ok(format!(
        "{model}, {cores} cores, {gib:.0} GiB, Linux {}",
        kernel.trim()
    ))
}
