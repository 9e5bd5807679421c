//! Changes of language on a page whose sign-in is in progress.

use super::*;

#[tokio::test]
async fn another_language_shows_the_same_page_and_tries_nothing() {
    let world = World::new();
    let mine = open(&world, &[]).await;
    for _ in 0..10 {
        let AuthorizeStep::SignIn(page) = mine.send(&world, another_language("ann@exa")).await else {
            panic!("a page")
        };
        assert_eq!(
            (page.email.as_str(), page.access, page.tries_left, page.notice),
            ("ann@exa", Access::ReadAndChange, 5, None)
        );
        assert_eq!(page.hidden, mine.page.hidden);
    }
    let AuthorizeStep::SignIn(page) = mine.post(&world, "eve@example.org", "pw").await else {
        panic!("a page")
    };
    // The reason why the last try failed stays on the page.
    let AuthorizeStep::SignIn(again) = mine.send(&world, another_language("eve@example.org")).await else {
        panic!("a page")
    };
    assert!(again.notice.is_some() && again.notice == page.notice && again.tries_left == 4);
    let AuthorizeStep::Redirect { url } = mine.deny(&world).await else {
        panic!("a redirect")
    };
    check_answer(&url, "error", "access_denied");
    let late = mine.send(&world, another_language("eve@example.org")).await;
    assert_eq!(shown(&late), url, "a sign-in that is over stays over");
}
