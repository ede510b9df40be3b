/* show_selftest.js - in a page of `show`: does what a reader does, looks at what is there then. */
(function () {
  "use strict";
  const wrong = [], at = id => document.getElementById(id);
  let checks = 0;
  const expect = (what, good, seen) => {
    checks++;
    if (!good)
      wrong.push(what + (seen === undefined ? "" : ": " + seen));
  };
  const press = (key, more) => document.body.dispatchEvent(new KeyboardEvent("keydown",
    Object.assign({key, bubbles: true, cancelable: true}, more)));
  const place = () => at("where").textContent.split(" of ").map(Number);
  const current = () => document.querySelectorAll("#events [aria-current]");
  const write = text => {
    at("search").value = text;
    at("search").dispatchEvent(new Event("input"));
  };

  function opening() {
    expect("verdict", at("verdict").textContent === EXPECTED.verdict, at("verdict").textContent);
    expect("tabs", at("runs").children.length === EXPECTED.runs, at("runs").children.length);
    expect("a story", at("story").textContent.length > 40);
    if (EXPECTED.verdict === "failed") {
      expect("why, on top", at("message").textContent.length > 5);
      expect("the failure in the story", document.querySelectorAll("#story .steps .verdict").length === 1);
    }
    expect("the cure", at("story").textContent.includes(EXPECTED.cure), at("story").textContent);
    for (const step of EXPECTED.story || [])
      expect("a step of the story", [...document.querySelectorAll("#story .steps .words")].some(e => e.textContent === step), step);
    if (EXPECTED.story) {
      document.querySelector("#story .steps button").click();
      expect("it leads to what is marked", current()[0].classList.contains("mark"), place());
    }
    if (EXPECTED.text) {
      press("End");
      expect("its text", document.body.innerText.includes(EXPECTED.text) ||
        [...document.querySelectorAll("#events .words, #message, #story")].some(e =>
          e.textContent.includes(EXPECTED.text)));
    }
    expect("nothing was run that is data", window.hacked === undefined && document.images.length === 0);
  }

  function stepping() {
    press("Home");
    const [first, count] = place();
    expect("Home", first === 1 && count > 3, place());
    press("ArrowRight");
    expect("a key forward", place()[0] === 2, place());
    at("step").click();
    expect("a button forward", place()[0] === 3, place());
    press("ArrowLeft");
    at("back").click();
    expect("back again", place()[0] === 1 && at("back").disabled, place());
    press("ArrowLeft");
    expect("no further back", place()[0] === 1);
    press("End");
    expect("End", place()[0] === count && at("step").disabled, place());
    expect("one is selected", current().length === 1);
    press("ArrowLeft", {shiftKey: true});
    expect("a leap", place()[0] < count);
    const chosen = document.querySelector("#events button");
    chosen.click();
    expect("by the list", place()[0] <= count && at("details").textContent.includes("when"));
  }

  function failing() {
    if (EXPECTED.verdict === "passed") {
      expect("no button to a failure", at("failure").hidden);
      return;
    }
    press("Home");
    press("f");
    expect("F goes to the failure", current()[0].className.includes("e-verdict"), current()[0].className);
    expect("and says it", at("kind").textContent.startsWith(EXPECTED.verdict), at("kind").textContent);
    document.querySelector("#story .steps button").click();
    expect("the story leads to its events", !current()[0].className.includes("e-verdict"));
    const small = place()[1];
    at("runs").children[1].click();
    expect("the whole run", place()[1] >= small && at("runs").children[1].getAttribute("aria-selected") === "true");
    at("failure").click();
    expect("it fails, too", current()[0].className.includes("e-verdict"));
    at("runs").children[0].click();
  }

  function searching() {
    write(EXPECTED.search);
    const found = parseInt(at("found").textContent, 10);
    expect("found", found > 0, at("found").textContent);
    expect("shown", document.querySelectorAll("#events .match").length > 0 && current()[0].className.includes("match"));
    const before = place()[0];
    at("search").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
    expect("the next", found === 1 || place()[0] !== before);
    write("no such thing anywhere");
    expect("nothing found", at("found").textContent === "nothing found", at("found").textContent);
    write("");
    expect("no search", at("found").textContent === "");
  }

  function painted() {
    const canvas = at("canvas"), copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext("2d", {willReadFrequently: true});
    context.drawImage(canvas, 0, 0);
    const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4 * 7)
      colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
    return colours.size;
  }

  function looks() {
    const back = () => getComputedStyle(document.body).backgroundColor, before = back();
    at("theme").click();
    expect("another theme", back() !== before, back());
    press("+");
    press("+");
    press("t");
    expect("to scale", at("scale").getAttribute("aria-pressed") === "true");
    press("0");
    expect("no wider than the window", document.documentElement.scrollWidth <= innerWidth,
      document.documentElement.scrollWidth + " > " + innerWidth);
    const named = [...document.querySelectorAll("button, input")].every(e => e.textContent.trim() ||
      e.getAttribute("aria-label"));
    expect("all controls have names", named);
  }

  /* A message that nobody was seen to receive is the one thing that is dashed. */
  async function lost(wait) {
    const {prototype} = CanvasRenderingContext2D, real = prototype.setLineDash;
    let dashed = 0;
    prototype.setLineDash = function (dashes) {
      dashed += dashes.length > 0;
      real.call(this, dashes);
    };
    press("+");
    press("0");
    for (let i = 0; i < 40 && dashed === 0; i++)
      await wait();
    prototype.setLineDash = real;
    expect("what is lost is dashed", dashed > 0);
  }

  function tell() {
    expect("no errors", window.errors.length === 0, window.errors.join("; "));
    parent.postMessage({width: innerWidth, checks, wrong}, "*");
  }

  /* What is drawn comes with a frame, which may take its time. */
  async function run() {
    const wait = () => new Promise(done => setTimeout(done, 50));
    try {
      opening();
      stepping();
      failing();
      searching();
      for (let i = 0; i < 100 && painted() <= 5; i++)
        await wait();
      expect("it is drawn", painted() > 5, painted());
      looks();
      if (EXPECTED.lost)
        await lost(wait);
      await wait();
    } catch (error) {
      wrong.push(String(error) + " " + error.stack);
    }
    tell();
  }

  setTimeout(run, 50);
}());
