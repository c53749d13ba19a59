# Recipes; each is one line of cargo.

# Formatting, lints and documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Everything, with a PostgreSQL of its own.
test:
    cargo test --workspace

# What needs no database.
test-fast:
    cargo test -p voicesurvey-core -p voicesurvey-simulator -p voicesurvey-files

# The simulation against bugs that were planted on purpose: it must find each.
planted:
    cargo test -p voicesurvey --test it --features planted-bugs planted

# Licences, advisories and arrows between crates.
deny:
    cargo deny check

# Accept changed snapshots after reading them.
snapshots:
    cargo insta review

demo:
    cargo run --release -p voicesurvey-server -- demo

# Figures on PostgreSQL, such as `just bench claim 10000 1000`; docs/performance.md says what they need.
bench *arguments:
    cargo bench -p voicesurvey --bench postgres -- {{arguments}}

# A fuzzer on a reader of call lists: `just fuzz csv 60`, txt or xlsx.
fuzz target seconds="60":
    fuzz/run {{seconds}} {{target}}
