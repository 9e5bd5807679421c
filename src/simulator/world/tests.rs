use super::*;
use crate::simulator::demo_people;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn world() -> World {
    World::new(demo_people(), vec![], 1, SignedDuration::from_hours(1))
}

fn post(path: &str, body: impl Into<bytes::Bytes>) -> SimulatedRequest {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    SimulatedRequest {
        method: "POST".to_owned(),
        path,
        query,
        body: body.into(),
        headers: HashMap::new(),
    }
}

fn get(path: &str, bearer: &str) -> SimulatedRequest {
    let headers = HashMap::from([("authorization".to_owned(), format!("Bearer {bearer}"))]);
    SimulatedRequest {
        method: "GET".to_owned(),
        path: path.to_owned(),
        headers,
        ..SimulatedRequest::default()
    }
}

fn body(reply: &SimulatedResponse) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn tokens(world: &mut World) -> Value {
    let service = "https://mobile.integration.garmin.com/gcm/ios";
    let login = post(
        &format!("/mobile/api/login?clientId=GCM_IOS_DARK&service={service}"),
        r#"{"username":"ann@example.org","password":"demo-ann","rememberMe":true}"#,
    );
    let ticket = body(&world.answer(&login, now()))["serviceTicketId"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!(
        "client_id=GARMIN_CONNECT_MOBILE_IOS_DI&service_ticket={ticket}&service_url={service}\
         &grant_type=https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
    );
    body(&world.answer(&token_request(form), now()))
}

fn token_request(form: String) -> SimulatedRequest {
    let mut request = post("/di-oauth2-service/oauth/token", form);
    // base64("GARMIN_CONNECT_MOBILE_IOS_DI:")
    request.headers.insert(
        "authorization".to_owned(),
        "Basic R0FSTUlOX0NPTk5FQ1RfTU9CSUxFX0lPU19ESTo=".to_owned(),
    );
    request
}

fn refresh_request(token: &Value) -> SimulatedRequest {
    let token = token.as_str().unwrap();
    token_request(format!(
        "grant_type=refresh_token&client_id=GARMIN_CONNECT_MOBILE_IOS_DI&refresh_token={token}"
    ))
}

#[test]
fn a_spent_refresh_token_is_refused_in_garmins_words() {
    let mut world = world();
    let first = tokens(&mut world);
    let second = body(&world.answer(&refresh_request(&first["refresh_token"]), now()));
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let again = world.answer(&refresh_request(&first["refresh_token"]), now());
    let spent = first["refresh_token"].as_str().unwrap();
    assert_eq!(again.status, 400);
    assert_eq!(
        body(&again),
        json!({"error": "invalid_grant", "error_description": format!("Invalid refresh token: {spent}")})
    );
    assert_eq!(world.tokens.live_refresh_tokens("ann@example.org").len(), 1);
}

#[test]
fn the_api_refuses_unknown_and_expired_tokens() {
    let mut world = world();
    let tokens = tokens(&mut world);
    let path = "/userprofile-service/socialProfile";
    let request = get(path, tokens["access_token"].as_str().unwrap());
    assert_eq!(body(&world.answer(&request, now()))["displayName"], "ann1");
    let hour_later = now() + SignedDuration::from_hours(1);
    for (request, when) in [(&request, hour_later), (&get(path, "made.up.token"), now())] {
        let reply = world.answer(request, when);
        assert_eq!(reply.status, 401);
        let (_, challenge) = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "www-authenticate")
            .unwrap();
        assert!(challenge.contains("Token is not active"));
    }
}

#[test]
fn an_empty_login_is_a_client_error() {
    let reply = world().answer(
        &post("/mobile/api/login?clientId=GCM_IOS_DARK&service=x", ""),
        now(),
    );
    assert_eq!(
        (reply.status, reply.headers[0].1.as_str()),
        (400, "application/problem+json")
    );
}

#[test]
fn a_kept_request_has_no_password() {
    let mut world = world();
    tokens(&mut world);
    let remembered = format!("{:?}", world.recorded);
    assert!(remembered.contains("/mobile/api/login") && !remembered.contains("demo-ann"));
}
