//! The same statements under pgbench, which does nothing else.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};

const CLAIM: &str = include_str!("../../voicesurvey-postgres/src/sql/claim.sql");

/// What `PostgresStorage` sets for its claims, and row-level security.
const SETTINGS: &str = "-c voicesurvey.scope=platform -c plan_cache_mode=force_generic_plan \
    -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
    -c jit=off";

/// The statement with values in the place of its arguments.
fn claim(batch: usize) -> String {
    CLAIM
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("cardinality($2::uuid[])", &batch.to_string())
        .replace(
            "$2::uuid[]",
            &format!("ARRAY(SELECT gen_random_uuid() FROM generate_series(1, {batch}))"),
        )
        .replace("$1", "clock_timestamp()")
        .replace("$3", "'bench'")
        .replace("$4", "clock_timestamp() + INTERVAL '30 seconds'")
        .replace("$5", "clock_timestamp() + INTERVAL '30 minutes'")
        // An instant that does not move while the statement runs.
        .replace("clock_timestamp()", "statement_timestamp()")
}

/// Claims by one client; says how long one takes.
pub(crate) fn claims(url: &str, batch: usize, claims: usize) -> anyhow::Result<String> {
    let script = format!("BEGIN;\n{};\nCOMMIT;\n", claim(batch));
    run(
        url,
        &script,
        &["--client=1", &format!("--transactions={claims}")],
    )
}

/// Claims and settles for so many seconds; says how many cycles it makes.
pub(crate) fn cycles(
    url: &str,
    clients: u32,
    batch: usize,
    seconds: u32,
) -> anyhow::Result<String> {
    // All that a claim returns, in one row that pgbench can keep.
    let claim = claim(batch).replace(
        "\nSELECT claimed.*,",
        "\nSELECT \
        array_agg(company_id) AS companies, array_agg(campaign_id) AS campaigns, \
        array_agg(id) AS tasks, array_agg(new_attempt_id) AS attempts, \
        count(excluded) AS excluded, count(calls_before) AS calls_before \
        FROM (SELECT claimed.*,",
    );
    let claim = format!("{claim}) AS claimed");
    let script = include_str!("cycle.sql").replace(":claim", &claim);
    let (clients, seconds) = (clients.to_string(), seconds.to_string());
    run(
        url,
        &script,
        &[
            &format!("--client={clients}"),
            "--jobs=2",
            &format!("--time={seconds}"),
        ],
    )
}

fn run(url: &str, script: &str, options: &[&str]) -> anyhow::Result<String> {
    let file = std::env::temp_dir().join(format!("voicesurvey-bench-{}.sql", std::process::id()));
    fs::write(&file, script)?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared"])
        .args(options)
        .arg("--file")
        .arg(&file)
        .arg(url)
        .env("PGOPTIONS", SETTINGS)
        .output()
        .context("pgbench is installed")?;
    fs::remove_file(&file)?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(told
        .lines()
        .filter(|line| {
            line.starts_with("latency average")
                || line.starts_with("tps")
                || line.starts_with("number of transactions actually")
        })
        .collect::<Vec<_>>()
        .join(", "))
}
