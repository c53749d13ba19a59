//! Names of tables and columns for the statements that sea-query builds.
//!
//! Every list of columns equals the table's, which a test compares both ways: SQLite takes a
//! quoted name that it does not know for a text, so a typing error would not fail by itself.

mod table;

pub(crate) use self::table::Table;

pub(crate) const COMPANIES: Table<11> = Table {
    name: "companies",
    columns: [
        "company_id",
        "name",
        "time_zone",
        "region",
        "language",
        "max_concurrent_calls",
        "calls_per_minute",
        "created_at",
        "version",
        "status",
        "caps",
    ],
};

pub(crate) const API_KEYS: Table<10> = Table {
    name: "api_keys",
    columns: [
        "company_id",
        "id",
        "name",
        "prefix",
        "hash",
        "role",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ],
};

pub(crate) const SKILLBASES: Table<12> = Table {
    name: "skillbases",
    columns: [
        "company_id",
        "id",
        "name",
        "language",
        "voice",
        "persona",
        "longest_call_seconds",
        "closing",
        "is_default",
        "created_at",
        "updated_at",
        "version",
    ],
};

pub(crate) const CAMPAIGNS: Table<18> = Table {
    name: "campaigns",
    columns: [
        "company_id",
        "id",
        "name",
        "description",
        "status",
        "pause_reason",
        "skillbase_id",
        "starts_at",
        "settings",
        "snapshot",
        "created_at",
        "updated_at",
        "started_at",
        "ended_at",
        "version",
        "winding_up",
        "ends_at",
        "has_budget",
    ],
};

pub(crate) const CAMPAIGN_LANES: Table<11> = Table {
    name: "campaign_lanes",
    columns: [
        "company_id",
        "campaign_id",
        "lane_id",
        "priority",
        "region",
        "time_zones",
        "claimable",
        "opens_at",
        "closes_at",
        "review_at",
        "cells",
    ],
};

pub(crate) const CAMPAIGN_COUNTERS: Table<5> = Table {
    name: "campaign_counters",
    columns: ["company_id", "campaign_id", "kind", "name", "count"],
};

pub(crate) const UPLOADS: Table<18> = Table {
    name: "uploads",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "file_name",
        "columns",
        "status",
        "failure",
        "percent",
        "rows_read",
        "total_rows",
        "created",
        "duplicates_in_list",
        "duplicates_in_campaign",
        "excluded",
        "erased",
        "errors_count",
        "created_at",
        "updated_at",
    ],
};

pub(crate) const UPLOAD_ERRORS: Table<7> = Table {
    name: "upload_errors",
    columns: [
        "company_id",
        "upload_id",
        "row_number",
        "column_name",
        "value",
        "reason",
        "original",
    ],
};

pub(crate) const CALL_TASKS: Table<25> = Table {
    name: "call_tasks",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "upload_id",
        "phone_number",
        "name",
        "name_folded",
        "language",
        "time_zones",
        "priority",
        "extra",
        "status",
        "due_at",
        "attempt_id",
        "claimable",
        "attempts_count",
        "attempts_spent",
        "last_attempt_at",
        "outcome",
        "reason",
        "created_at",
        "updated_at",
        "version",
        "lane_id",
        "cells",
    ],
};

pub(crate) const CALL_ATTEMPTS: Table<26> = Table {
    name: "call_attempts",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "task_id",
        "attempt_number",
        "phone_number",
        "provider",
        "provider_call_id",
        "state",
        "dial_before",
        "lease_until",
        "created_at",
        "accepted_at",
        "ringing_at",
        "answered_at",
        "ended_at",
        "answered_by",
        "outcome",
        "raw_status",
        "error_code",
        "cost_amount",
        "cost_currency",
        "version",
        "price_due_at",
        "recording",
        "latencies",
    ],
};

pub(crate) const CALL_ROLLUPS: Table<6> = Table {
    name: "call_rollups",
    columns: [
        "company_id",
        "campaign_id",
        "quarter",
        "kind",
        "name",
        "value",
    ],
};

pub(crate) const CONVERSATIONS: Table<14> = Table {
    name: "conversations",
    columns: [
        "company_id",
        "attempt_id",
        "task_id",
        "campaign_id",
        "language",
        "position",
        "step",
        "turns",
        "last_reply",
        "outcome",
        "started_at",
        "version",
        "memory",
        "is_forgotten",
    ],
};

pub(crate) const TURNS: Table<10> = Table {
    name: "turns",
    columns: [
        "company_id",
        "id",
        "attempt_id",
        "sequence",
        "speaker",
        "words",
        "heard_with",
        "interpretation",
        "question_key",
        "at",
    ],
};

pub(crate) const ANSWERS: Table<17> = Table {
    name: "answers",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "task_id",
        "attempt_id",
        "question_key",
        "result",
        "words",
        "confidence",
        "interpreted_by",
        "repeats",
        "turn_id",
        "at",
        "doubt",
        "revision",
        "reviewed_at",
        "reviewed_by",
    ],
};

pub(crate) const ANSWER_REVISIONS: Table<9> = Table {
    name: "answer_revisions",
    columns: [
        "company_id",
        "answer_id",
        "number",
        "result",
        "confidence",
        "interpreted_by",
        "note",
        "replaced_at",
        "replaced_by",
    ],
};

pub(crate) const CONSENTS: Table<10> = Table {
    name: "consents",
    columns: [
        "company_id",
        "attempt_id",
        "task_id",
        "given",
        "text",
        "language",
        "turn_id",
        "at",
        "text_version",
        "interpreted_by",
    ],
};

pub(crate) const SURVEY_RESPONSES: Table<8> = Table {
    name: "survey_responses",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "task_id",
        "attempt_id",
        "complete",
        "started_at",
        "ended_at",
    ],
};

pub(crate) const EXPORTS: Table<23> = Table {
    name: "exports",
    columns: [
        "company_id",
        "id",
        "campaign_id",
        "kind",
        "format",
        "filter",
        "requested_by",
        "link",
        "state",
        "run",
        "excused",
        "lease_until",
        "people",
        "rows",
        "bytes",
        "pieces",
        "failure",
        "created_at",
        "ended_at",
        "expires_at",
        "delimiter",
        "fetches",
        "last_fetched_at",
    ],
};

pub(crate) const EXPORT_PIECES: Table<4> = Table {
    name: "export_pieces",
    columns: ["company_id", "export_id", "number", "content"],
};

pub(crate) const EXCLUSIONS: Table<7> = Table {
    name: "exclusions",
    columns: [
        "company_id",
        "phone_number",
        "source",
        "attempt_id",
        "created_at",
        "note",
        "created_by",
    ],
};

pub(crate) const EXCLUSION_REMOVALS: Table<11> = Table {
    name: "exclusion_removals",
    columns: [
        "company_id",
        "id",
        "phone_number",
        "source",
        "attempt_id",
        "note",
        "created_at",
        "created_by",
        "reason",
        "removed_at",
        "removed_by",
    ],
};

/// Belongs to no company.
pub(crate) const OPERATOR_EXCLUSIONS: Table<4> = Table {
    name: "operator_exclusions",
    columns: ["phone_number", "source", "note", "created_at"],
};

/// Belongs to no company.
pub(crate) const OPERATOR_EXCLUSION_REMOVALS: Table<7> = Table {
    name: "operator_exclusion_removals",
    columns: [
        "id",
        "phone_number",
        "source",
        "note",
        "created_at",
        "reason",
        "removed_at",
    ],
};

pub(crate) const ERASURES: Table<6> = Table {
    name: "erasures",
    columns: [
        "company_id",
        "id",
        "reason",
        "requested_by",
        "erased",
        "created_at",
    ],
};

pub(crate) const ERASED_NUMBERS: Table<4> = Table {
    name: "erased_numbers",
    columns: ["company_id", "number_hash", "erasure_id", "created_at"],
};

pub(crate) const ERASURE_KEYS: Table<2> = Table {
    name: "erasure_keys",
    columns: ["company_id", "key_id"],
};

pub(crate) const COMPANY_RETENTION: Table<2> = Table {
    name: "company_retention",
    columns: ["company_id", "retention"],
};

pub(crate) const PROVIDER_EVENTS: Table<5> = Table {
    name: "provider_events",
    columns: [
        "company_id",
        "attempt_id",
        "event_id",
        "body",
        "received_at",
    ],
};

pub(crate) const OUTBOX_EVENTS: Table<5> = Table {
    name: "outbox_events",
    columns: ["company_id", "id", "kind", "body", "at"],
};

#[cfg(test)]
mod tests;
