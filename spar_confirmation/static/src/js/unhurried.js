/*
 * Hide what confirms for a moment, again, whenever the window comes to the front.
 *
 * A window of another site may cover this one and close under the first of two clicks:
 * the second one presses nothing here. Nor does text that somebody goes on typing, after
 * another site has led here. Without this script the style sheet hides it once, after
 * the page has loaded.
 */
(() => {
    const HURRY = 1200; // Milliseconds, as in pages.css.
    const forms = document.querySelectorAll(".unhurried");
    let since = performance.now();
    let focused = null;

    function wait() {
        since = performance.now();
        for (const form of forms) {
            if (form.contains(document.activeElement)) {
                focused = document.activeElement;
            }
            for (const animation of form.getAnimations()) {
                animation.cancel();
                animation.play();
            }
        }
    }

    function startAgain() {
        forms.forEach((form) => form.reset());
        wait();
    }

    for (const form of forms) {
        form.addEventListener("animationend", () => {
            // A hidden element has lost the focus.
            if (document.activeElement === document.body) {
                focused?.focus();
            }
            focused = null;
        });
        // A click may arrive before the form is drawn as hidden.
        form.addEventListener("submit", (event) => {
            if (performance.now() - since < HURRY) {
                event.preventDefault();
            }
        });
    }
    addEventListener("focus", wait);
    document.addEventListener("visibilitychange", wait);
    // A page that the browser has kept comes back with its box ticked.
    addEventListener("pageshow", startAgain);
    // Nothing on this page takes text: it is for the page before.
    addEventListener("keydown", ({key, ctrlKey, metaKey, altKey}) => {
        if (key.length === 1 && key !== " " && !(ctrlKey || metaKey || altKey)) {
            startAgain();
        }
    });
})();
