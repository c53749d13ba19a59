//! Exclusion lists: added to, imported, searched, looked up and removed from (A22).

use insta::assert_snapshot;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Caller, TestApp};

const THREE_PEOPLE: &str = "phone_number,name\n+393471234561,A\n+393471234562,B\n+393471234563,C\n";

async fn exclude(caller: &Caller, number: &str) {
    let body = json!({ "phone_number": number, "reason": "asked for it" });
    let answer = caller.post("/api/exclusions", &body).await;
    assert_eq!(answer.status, 200, "{answer}");
}

async fn import(caller: &Caller, content: &str, more: &[(&'static str, &'static str)]) -> String {
    let file = Part::bytes(content.as_bytes().to_vec()).file_name("numbers.csv");
    let form = Form::new().part("file", file);
    let form = more
        .iter()
        .fold(form, |form, (name, value)| form.text(*name, *value));
    let answer = caller.post_form("/api/exclusions/import", form).await;
    answer.redacted()
}

async fn statuses(caller: &Caller, campaign: &str) -> Vec<String> {
    let contacts = caller.get(&format!("{campaign}/contacts")).await;
    let items = contacts.at("/items");
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| item["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_number_is_excluded_in_all_campaigns_at_once() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let first = manager.create_campaign_with(THREE_PEOPLE).await;
    let second = manager.create_campaign_with(THREE_PEOPLE).await;
    let body = json!({
        "phone_numbers": ["347 123 4562", "+39 347 9999999"], "reason": "a letter", "source": "staff",
    });
    let answer = manager.post("/api/exclusions", &body).await;
    assert_snapshot!(answer.redacted(), @r#"
    200 application/json
    {"added":2,"already_excluded":0,"calls_hung_up":0,"contacts_excluded":2}
    "#);
    for campaign in [&first, &second] {
        let expected = ["pending", "excluded", "pending"];
        assert_eq!(statuses(&manager, campaign).await, expected);
        let stats = manager.get(&format!("{campaign}/stats")).await;
        assert_eq!(stats.at("/tasks/excluded"), 1, "{stats}");
    }
    let again = manager.post("/api/exclusions", &body).await;
    assert_snapshot!(again.redacted(), @r#"
    200 application/json
    {"added":0,"already_excluded":2,"calls_hung_up":0,"contacts_excluded":0}
    "#);
    // Whoever is uploaded later is known to be excluded.
    let third = manager.create_campaign().await;
    let upload = manager
        .upload(&format!("{third}/contacts/upload"), "a.csv", THREE_PEOPLE)
        .await;
    assert_eq!(upload.at("/excluded"), 1);
}

#[tokio::test]
async fn the_list_is_searched_and_a_number_looked_up() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    exclude(&manager, "+393471234562").await;
    exclude(&manager, "+390612345678").await;
    let imported = import(&manager, "phone\n+393471234569\n", &[]).await;
    assert!(imported.starts_with("200"), "{imported}");
    let numbers = async |query: &str| {
        let list = manager.get(&format!("/api/exclusions{query}")).await;
        let items = list.at("/items");
        let items = items.as_array().unwrap().iter();
        let numbers = items.map(|item| item["phone_number"].as_str().unwrap().to_owned());
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(
        numbers("").await,
        ["+390612345678", "+393471234562", "+393471234569"]
    );
    assert_eq!(
        numbers("?q=347%20123").await,
        ["+393471234562", "+393471234569"]
    );
    assert_eq!(numbers("?source=import").await, ["+393471234569"]);
    assert_eq!(numbers("?q=999").await, Vec::<String>::new());
    let page = manager.get("/api/exclusions?limit=2").await;
    let next = page.text_at("/next_cursor");
    assert_eq!(numbers(&format!("?cursor={next}")).await, ["+393471234569"]);
    let wrong = manager.get("/api/exclusions?q=Maria&source=dream").await;
    assert_eq!(wrong.status, 400);
    assert_snapshot!(wrong.wrong_fields(), @r"
    source: unknown source 'dream': use spoken, api, import or staff
    q: use digits, and a plus sign before them
    ");

    let found = manager.get("/api/exclusions/347-1234562").await;
    assert_snapshot!(found.redacted(), @r#"
    200 application/json
    {
      "excluded": true,
      "excluded_by": "company",
      "exclusion": {
        "call_id": null,
        "created_at": "[time]",
        "created_by": "[id]",
        "phone_number": "+393471234562",
        "reason": "asked for it",
        "source": "api"
      },
      "phone_number": "+393471234562"
    }
    "#);
    let free = manager.get("/api/exclusions/+393470000000").await;
    assert_snapshot!(free.redacted(), @r#"
    200 application/json
    {"excluded":false,"excluded_by":null,"exclusion":null,"phone_number":"+393470000000"}
    "#);
    assert_eq!(manager.get("/api/exclusions/nobody").await.status, 404);
}

#[tokio::test]
async fn an_imported_file_names_the_rows_that_cannot_be_used() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let file = "Telefono;Nome\n347 123 4561;A\n12;B\n+39 347 1234561;C\n;D\n+44 20 7946 0018;E\n";
    let imported = import(&manager, file, &[("reason", "an old list")]).await;
    assert_snapshot!(imported, @r#"
    200 application/json
    {
      "added": 2,
      "already_excluded": 0,
      "calls_hung_up": 0,
      "contacts_excluded": 0,
      "duplicates_in_list": 1,
      "errors": [
        {
          "column": "phone_number",
          "message": "Row 3: Phone number is too short",
          "reason": "Phone number is too short",
          "row": 3,
          "value": "12"
        },
        {
          "column": "phone_number",
          "message": "Row 5: Empty phone number",
          "reason": "Empty phone number",
          "row": 5,
          "value": ""
        }
      ],
      "errors_count": 2,
      "file_name": "numbers.csv",
      "still_ending_contacts": false,
      "total_rows": 5
    }
    "#);
    let first = manager.get("/api/exclusions?q=3471234561").await;
    assert_eq!(first.text_at("/items/0/source"), "import");
    assert_eq!(first.text_at("/items/0/reason"), "an old list");

    let refused = import(&manager, file, &[("region", "XX"), ("colour", "red")]).await;
    assert!(refused.starts_with("422"), "{refused}");
    assert!(
        refused.contains("region") && refused.contains("colour"),
        "{refused}"
    );
    let nothing = manager
        .post_form("/api/exclusions/import", Form::new().text("reason", "x"))
        .await;
    assert_snapshot!(nothing.wrong_fields(), @"file: is required: send the numbers in the multipart field 'file'");
}

#[tokio::test]
async fn a_file_is_read_as_a_call_list_is() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let numbers = async || {
        let list = manager.get("/api/exclusions").await.at("/items");
        let numbers = list.as_array().unwrap().iter();
        let numbers = numbers.map(|item| item["phone_number"].as_str().unwrap().to_owned());
        numbers.collect::<Vec<_>>()
    };
    // National numbers, one a line.
    let lines = import(&manager, "347 123 4561\n06 12345678\n347 123 4562\n", &[]).await;
    assert!(lines.contains("\"added\": 3"), "{lines}");
    // A column that has lost its zeros, two numbers in a cell, and two columns.
    let lost = "Telefono,Nome\n612345679,Ada\n212345678,Bea\n3471234563,Carla\n";
    let several = "Telefono;Cellulare;Note\n06 12345680 / 06 12345681;347 1234564;\n;;x\n";
    for (file, more) in [
        (lost, &[][..]),
        (several, &[]),
        (
            "id;a;b\n1;x;3471234565\n3;y;3471234566\n",
            &[("mapping", r#"{"phone_number":3}"#)],
        ),
    ] {
        let imported = import(&manager, file, more).await;
        assert!(imported.starts_with("200"), "{imported}");
    }
    let expected = [
        "+390212345678",
        "+390612345678",
        "+390612345679",
        "+390612345680",
        "+390612345681",
        "+393471234561",
        "+393471234562",
        "+393471234563",
        "+393471234564",
        "+393471234565",
        "+393471234566",
    ];
    assert_eq!(numbers().await, expected);
    // One that is broken in its last row excludes nobody.
    let broken = import(
        &manager,
        "phone;name\n3471234599;A\n\"3471234598;B\n3471234597;C\n",
        &[],
    );
    let broken = broken.await;
    assert!(
        broken.starts_with("422") && broken.contains("quotation mark"),
        "{broken}"
    );
    assert_eq!(numbers().await, expected);
}

#[tokio::test]
async fn all_rows_that_cannot_be_used_are_given_back() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    // Short uploads have turns of their own.
    let _uploads = app.app.upload_turns.acquire_many(2).await.unwrap();
    let bad = (0..1_203).map(|row| format!("{row};nobody {row}\n"));
    let bad = bad.collect::<Vec<_>>().concat();
    let file = format!("phone;name\n{bad}+39 347 1234561;Ada\n");
    let post = async |path: &str, content: &str| {
        let part = Part::bytes(content.as_bytes().to_vec()).file_name("stop.csv");
        manager
            .post_form(path, Form::new().part("file", part))
            .await
    };
    let answer = post("/api/exclusions/import", &file).await;
    assert_eq!(
        (answer.at("/added"), answer.at("/errors_count")),
        (json!(1), json!(1_203))
    );
    let errors = answer.at("/errors");
    let rows: Vec<u64> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["row"].as_u64().unwrap())
        .collect();
    assert!(rows.into_iter().eq(2..1_205));
    // As a file that is mended and imported again.
    let answer = post("/api/exclusions/import?error_file=true", &file).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let lines: Vec<&str> = answer
        .text()
        .trim_start_matches('\u{feff}')
        .lines()
        .collect();
    assert_eq!(lines.len(), 1_204);
    assert_eq!(lines[0], "phone,name,error_row,error_column,error_reason");
    assert_eq!(
        lines[12],
        "11,nobody 11,13,phone_number,Phone number is too short"
    );
    let mended = answer.text().replace("\n11,", "\n+39 347 1234562,");
    let answer = post("/api/exclusions/import", &mended).await;
    assert_eq!(
        (answer.at("/added"), answer.at("/errors_count")),
        (json!(1), json!(1_202))
    );
    let wrong = post("/api/exclusions/import?error_file=perhaps", &file).await;
    assert_eq!(wrong.status, 400, "{wrong}");
}

#[tokio::test]
async fn a_bad_number_names_its_field() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let wrong = async |body| {
        let answer = manager.post("/api/exclusions", &body).await;
        assert_eq!(answer.status, 422, "{answer}");
        answer.wrong_fields()
    };
    assert_snapshot!(wrong(json!({ "phone_number": "12" })).await, @"phone_number: Phone number is too short");
    let several = json!({ "phone_numbers": ["+393471234561", "abc", 3], "source": "spoken" });
    assert_snapshot!(wrong(several).await, @r"
    phone_numbers: [2]: must be a text
    source: use api or staff
    ");
    let several = json!({ "phone_numbers": ["+393471234561", "abc", ""] });
    assert_snapshot!(wrong(several).await, @r"
    phone_numbers[1]: Phone number contains letters
    phone_numbers[2]: Empty phone number
    ");
    assert_snapshot!(wrong(json!({ "colour": "red" })).await, @r"
    colour: unknown field
    phone_number: is required, or phone_numbers
    ");
    let nothing_was_done = manager.get("/api/exclusions").await;
    assert_eq!(nothing_was_done.at("/items"), json!([]));
}

#[tokio::test]
async fn an_admin_removes_a_number_and_that_is_shown() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let (admin, manager) = (acme.admin().await, acme.manager().await);
    exclude(&manager, "+393471234561").await;
    let path = "/api/exclusions/+393471234561";
    let with_reason = format!("{path}?reason=a%20new%20owner");
    assert_eq!(manager.delete(&with_reason).await.status, 403);
    let without = admin.delete(path).await;
    assert_eq!(without.status, 400);
    assert_snapshot!(without.wrong_fields(), @"reason: is required: say why the number may be called again");
    let removed = admin.delete(&with_reason).await;
    assert_snapshot!(removed.redacted(), @r#"
    200 application/json
    {
      "exclusion": {
        "call_id": null,
        "created_at": "[time]",
        "created_by": "[id]",
        "phone_number": "+393471234561",
        "reason": "asked for it",
        "source": "api"
      },
      "id": "[id]",
      "reason": "a new owner",
      "removed_at": "[time]",
      "removed_by": "[id]"
    }
    "#);
    assert_eq!(admin.delete(&with_reason).await.status, 404);
    let kept = manager.get("/api/exclusions/removals").await;
    assert_eq!(kept.at("/items/0"), removed.json());
    let found = manager.get(path).await;
    assert_eq!(found.at("/excluded"), false);
}

#[tokio::test]
async fn another_companys_list_is_not_seen() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await.admin().await;
    let globex = app.company("Globex").await.admin().await;
    exclude(&acme, "+393471234561").await;
    let path = "/api/exclusions/+393471234561";
    let found = globex.get(path).await;
    assert_eq!(found.at("/excluded"), false);
    assert_eq!(globex.get("/api/exclusions").await.at("/items"), json!([]));
    let refused = globex.delete(&format!("{path}?reason=mine")).await;
    assert_eq!(refused.status, 404);
    assert_eq!(acme.get(path).await.at("/excluded"), true);
}

#[tokio::test]
async fn viewers_look_and_change_nothing() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let viewer = acme.viewer().await;
    assert_eq!(viewer.get("/api/exclusions").await.status, 200);
    assert_eq!(viewer.get("/api/exclusions/removals").await.status, 200);
    let body = json!({ "phone_number": "+393471234561" });
    let refused = viewer.post("/api/exclusions", &body).await;
    assert_eq!(refused.status, 403, "{refused}");
    let refused = import(&viewer, "phone\n+393471234561\n", &[]).await;
    assert!(refused.starts_with("403"), "{refused}");
}

#[tokio::test]
async fn the_operator_excludes_for_every_company() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let acme = app.company("Acme").await.manager().await;
    let globex = app.company("Globex").await.manager().await;
    let campaigns = [
        acme.create_campaign_with(THREE_PEOPLE).await,
        globex.create_campaign_with(THREE_PEOPLE).await,
    ];
    let national = json!({ "phone_number": "347 123 4561" });
    let refused = operator.post("/api/exclusions", &national).await;
    assert_snapshot!(refused.wrong_fields(), @"phone_number: Phone number needs its country code, such as +39, or name the 'region'");
    let body = json!({ "phone_number": "347 123 4561", "region": "IT" });
    let added = operator.post("/api/exclusions", &body).await;
    assert_eq!(added.at("/contacts_excluded"), 2, "{added}");
    for (company, campaign) in [&acme, &globex].into_iter().zip(&campaigns) {
        let expected = ["excluded", "pending", "pending"];
        assert_eq!(statuses(company, campaign).await, expected);
        assert_eq!(company.get("/api/exclusions").await.at("/items"), json!([]));
        let found = company.get("/api/exclusions/+393471234561").await;
        assert_eq!(found.text_at("/excluded_by"), "operator");
        assert_eq!(found.at("/exclusion"), json!(null));
    }
    let imported = import(&operator, "phone\n+393471234562\n", &[]).await;
    assert!(imported.contains("\"contacts_excluded\": 2"), "{imported}");
    let listed = operator.get("/api/exclusions").await;
    assert_eq!(listed.at("/items/1/phone_number"), "+393471234562");
    let removal = "/api/exclusions/+393471234561?reason=an%20error";
    assert_eq!(operator.delete(removal).await.status, 200);
    let kept = operator.get("/api/exclusions/removals").await;
    assert_eq!(kept.at("/items/0/removed_by"), json!(null));
    assert_eq!(
        acme.get("/api/exclusions/removals").await.at("/items"),
        json!([])
    );
    let found = acme.get("/api/exclusions/+393471234561").await;
    assert_eq!(found.at("/excluded"), false);
}
