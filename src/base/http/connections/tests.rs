use super::*;

fn connections(total: usize, per_source: usize) -> Arc<Connections> {
    let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
    Connections::new(Capacity { total, per_source }, Arc::new(proxies))
}

/// A connection that waits until it is admitted.
fn from(connections: &Arc<Connections>, address: &str) -> Arc<OpenConnection> {
    loop {
        match connections.admit(address.parse().unwrap()) {
            ConnectionSlot::Given(connection) => return Arc::new(connection),
            ConnectionSlot::Later(pause) => std::thread::sleep(pause),
            ConnectionSlot::Full => panic!("nobody is admitted"),
        }
    }
}

fn asked(connection: &Arc<OpenConnection>) -> OpenRequest {
    connection.asked("192.0.2.1".parse().unwrap())
}

fn closed(of: &[Arc<OpenConnection>]) -> Vec<usize> {
    let closed =
        |(at, connection): (usize, &Arc<OpenConnection>)| connection.close.is_cancelled().then_some(at);
    of.iter().enumerate().filter_map(closed).collect()
}

#[test]
fn a_source_displaces_itself() {
    let all = connections(10, 2);
    let other = from(&all, "192.0.2.9");
    let flood = ["192.0.2.1"; 4].map(|address| from(&all, address));
    assert_eq!(closed(&flood), [0, 1]);
    assert!(!other.close.is_cancelled());
    // A single IPv6 subscriber has a whole network of addresses.
    let flood =
        ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"].map(|address| from(&all, address));
    assert_eq!(closed(&flood), [0]);
}

#[test]
fn a_proxy_has_no_share_of_its_own() {
    let all = connections(10, 2);
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1"] {
        let many = [address; 3].map(|address| from(&all, address));
        assert_eq!(closed(&many), [0_usize; 0], "{address}");
    }
}

#[test]
fn proven_connections_stay_and_the_largest_source_makes_room() {
    let all = connections(4, 4);
    let member = from(&all, "192.0.2.1");
    member.proven();
    let flood = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|address| from(&all, address));
    let newcomer = from(&all, "192.0.2.3");
    assert_eq!(closed(&flood), [0]);
    assert!(!member.close.is_cancelled() && !newcomer.close.is_cancelled());
    // While the next request is received, the client is unknown again.
    let _request = asked(&member);
    let _body = member.reading();
    for _ in 0..4 {
        all.make_room();
    }
    assert!(member.close.is_cancelled());
}

/// The client must learn what its request has changed, so its connection is closed last.
#[test]
fn a_request_that_was_received_is_answered() {
    let all = connections(4, 4);
    let newcomer = from(&all, "192.0.2.1");
    let mut request = asked(&newcomer);
    drop(newcomer.reading());
    let member = from(&all, "192.0.2.1");
    member.proven();
    for _ in 0..20 {
        from(&all, "192.0.2.1");
    }
    assert!(!newcomer.close.is_cancelled() && !member.close.is_cancelled());
    // The client then has as much time to read the response as any other.
    request.answered();
    from(&all, "192.0.2.1");
    assert!(!newcomer.close.is_cancelled());
    let _others = ["192.0.2.1"; 3].map(|address| from(&all, address));
    assert!(newcomer.close.is_cancelled());
}

/// Idle connections of members are closed first, because their clients can open new ones.
#[test]
fn a_received_request_is_displaced_when_nothing_else_can_be() {
    let all = connections(2, 2);
    let member = from(&all, "192.0.2.1");
    member.proven();
    let stranger = from(&all, "192.0.2.2");
    let _request = asked(&stranger);
    all.make_room();
    assert!(member.close.is_cancelled() && !stranger.close.is_cancelled());
    all.make_room();
    assert!(stranger.close.is_cancelled());
}

#[test]
fn a_new_connection_has_time_to_send_its_request() {
    let all = connections(500, 500);
    let waiting: Vec<_> = (0..500).map(|_| from(&all, "192.0.2.1")).collect();
    let later = all.admit("192.0.2.2".parse().unwrap());
    assert!(matches!(later, ConnectionSlot::Later(pause) if pause <= Duration::from_secs(1)));
    assert!(closed(&waiting).is_empty());
}

/// HTTP/2 sends several requests over one connection.
#[test]
fn a_connection_is_busy_until_its_last_request_ends() {
    let all = connections(2, 2);
    let several = from(&all, "192.0.2.1");
    let (first, second) = (asked(&several), asked(&several));
    drop(first);
    let other = from(&all, "192.0.2.1");
    all.make_room();
    assert!(other.close.is_cancelled() && !several.close.is_cancelled());
    drop(second);
    all.make_room();
    assert!(several.close.is_cancelled());
}

#[test]
fn nobody_is_admitted_while_all_answer_members() {
    let all = connections(1, 1);
    let member = from(&all, "192.0.2.1");
    let request = asked(&member);
    member.proven();
    let other = || all.admit("192.0.2.2".parse().unwrap());
    assert!(matches!(other(), ConnectionSlot::Full));
    drop(request);
    assert!(matches!(other(), ConnectionSlot::Given(_)));
}

/// A member's idle connections do not shut others out.
#[test]
fn an_idle_proven_connection_makes_room() {
    let all = connections(2, 2);
    let members = ["192.0.2.1"; 2].map(|address| from(&all, address));
    let _request = asked(&members[0]);
    for member in &members {
        member.proven();
    }
    from(&all, "192.0.2.2");
    assert_eq!(closed(&members), [1]);
}

/// Behind a proxy, a request counts for its client, and the pause after it for the proxy.
#[test]
fn clients_of_a_proxy_have_their_own_shares() {
    for proxy in ["10.1.2.3", "127.0.0.1"] {
        let all = connections(10, 2);
        let stranger = "203.0.113.7".parse().unwrap();
        let other = from(&all, proxy);
        let _other = other.asked("203.0.113.8".parse().unwrap());
        let flood = [proxy; 4].map(|address| from(&all, address));
        for one in &flood[..2] {
            drop(one.asked(stranger));
        }
        let _requests = flood.each_ref().map(|one| one.asked(stranger));
        assert_eq!(closed(&flood), [0, 1], "{proxy}");
        assert!(!other.close.is_cancelled());
    }
}

#[test]
fn few_bodies_of_unknown_clients_are_read_at_once() {
    let all = connections(8, 8);
    let slow = ["192.0.2.1"; 3].map(|address| from(&all, address));
    let member = from(&all, "192.0.2.1");
    member.proven();
    let _bodies = [&slow[0], &slow[1], &member].map(OpenConnection::reading);
    assert_eq!(closed(&slow), [0_usize; 0]);
    let _third = slow[2].reading();
    assert_eq!(closed(&slow), [0], "two for one source");
    let other = from(&all, "192.0.2.2");
    let _other = other.reading();
    assert_eq!(closed(&slow), [0, 1], "two in all");
    assert!(!other.close.is_cancelled() && !member.close.is_cancelled());
}

#[tokio::test]
async fn only_a_known_client_or_a_proxy_may_be_silent() {
    let all = connections(10, 10);
    let limit = Duration::from_millis(20);
    let is_silent = async |connection: &Arc<OpenConnection>| {
        tokio::time::timeout(5 * limit, connection.silent(limit))
            .await
            .is_ok()
    };
    let stranger = from(&all, "192.0.2.1");
    assert!(is_silent(&stranger).await);
    let request = asked(&stranger);
    assert!(!is_silent(&stranger).await, "its request is being answered");
    drop(request);
    assert!(is_silent(&stranger).await);
    stranger.proven();
    assert!(!is_silent(&stranger).await);
    for proxy in ["10.1.2.3", "127.0.0.1"] {
        let proxy = from(&all, proxy);
        assert!(is_silent(&proxy).await, "it has asked nothing yet");
        drop(asked(&proxy));
        assert!(!is_silent(&proxy).await, "it keeps its connection");
        proxy.heard();
        assert!(is_silent(&proxy).await, "half a header is no request");
    }
}
