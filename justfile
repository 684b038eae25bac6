# The verbs. Each is one of cargo's or xtask's, and works without just.

# format, lints and the rules no compiler knows
check:
    cargo xtask check

# every test; needs nothing but Rust
test *args:
    cargo test --workspace {{args}}

# golden files anew; the diff is the review
golden:
    cargo xtask golden

# METRICS.md from the schema
docs *args:
    cargo xtask docs {{args}}

# this machine as a capture
record *args:
    cargo xtask record {{args}}

# cost per scrape, beside node_exporter's
bench *args:
    cargo xtask bench {{args}}

# types and lints for every target
cross:
    cargo xtask cross

# gauged for macOS, linked here, and what it asks of macOS
link-darwin *args:
    cargo xtask link-darwin {{args}}

# the release binary and its size
dist:
    cargo xtask dist
