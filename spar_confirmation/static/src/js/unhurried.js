/*
 * Hide what confirms for a moment, again, whenever the window comes to the front.
 *
 * A window of another site may cover this one and close under the first of two clicks:
 * the second one presses nothing here. Without this script the style sheet does it once,
 * after the page has loaded.
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
    addEventListener("pageshow", wait);
    document.addEventListener("visibilitychange", wait);
})();
