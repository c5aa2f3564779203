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
    const hidden = document.querySelectorAll(".unhurried");
    const forms = [...hidden].map((each) => each.closest("form"));
    let since = performance.now();
    let focused = null;

    function wait() {
        since = performance.now();
        for (const part of hidden) {
            if (part.contains(document.activeElement)) {
                focused = document.activeElement;
            }
            for (const animation of part.getAnimations()) {
                animation.cancel();
                animation.play();
            }
        }
    }

    /* Return whether the style sheet hides a part; if it is missing, go by the time. */
    function isHidden(part) {
        const animations = part.getAnimations();
        if (animations.length) {
            return animations.some(({playState}) => playState !== "finished");
        }
        return performance.now() - since < HURRY;
    }

    function startAgain() {
        forms.forEach((form) => form.reset());
        wait();
    }

    for (const part of hidden) {
        part.addEventListener("animationend", () => {
            // A hidden element has lost the focus.
            if (document.activeElement === document.body) {
                focused?.focus();
            }
            focused = null;
        });
        // A click may arrive before the form is drawn with its part hidden.
        part.closest("form").addEventListener("submit", (event) => {
            if (isHidden(part)) {
                event.preventDefault();
            }
        });
    }
    addEventListener("focus", wait);
    document.addEventListener("visibilitychange", wait);
    // A page that the browser has kept comes back with what was typed. A page that is
    // new has waited already, and somebody may have typed before its pictures came.
    addEventListener("pageshow", ({persisted}) => persisted && startAgain());
    // Nothing on this page takes text but digits in its field: it is for the page before.
    addEventListener("keydown", ({key, target, ctrlKey, metaKey, altKey}) => {
        const isText = key.length === 1 && key !== " ";
        const isAnswer = target.name === "digits" && /\p{Nd}/u.test(key);
        if (isText && !isAnswer && !(ctrlKey || metaKey || altKey)) {
            startAgain();
        }
    });
})();
