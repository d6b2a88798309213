// A harmless page that works, drawn of what `web/pretexts` says: all of it is here, and it asks nobody.
function drawFront(front, place) {
  const scaled = [];
  const locale = front.language === "en" ? "en-GB" : front.language;

  function make(name, text, parent = place) {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function button(text, parent, act) {
    const made = make("button", text, parent);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  const put = (text, number) => text.replace("{n}", number);
  // As a kitchen measures.
  const measured = (number) => (number < 20 ? Math.round(number * 2) / 2 : Math.round(number / 5) * 5);

  // How many it is for: the lists after it follow.
  function amount(part) {
    const row = make("p", "");
    let number = part.from;
    const set = (wanted) => {
      if (wanted < part.step || wanted > part.from * 4) return;
      number = wanted;
      shown.textContent = put(part.text, number);
      scaled.forEach((draw) => draw(number / part.from));
    };
    const less = button("−", row, () => set(number - part.step));
    const shown = make("output", put(part.text, number), row);
    const more = button("+", row, () => set(number + part.step));
    less.setAttribute("aria-label", part.less);
    more.setAttribute("aria-label", part.more);
  }

  function list(part) {
    const items = make("ul", "");
    const draw = (times) => {
      items.textContent = "";
      part.items.forEach(([number, text]) => make("li", put(text, measured(number * times)), items));
    };
    scaled.push(draw);
    draw(1);
  }

  // Ticked off as they are done.
  function steps(part) {
    const items = make("ol", "");
    part.items.forEach((text) => {
      const label = make("label", "", make("li", "", items));
      make("input", "", label).type = "checkbox";
      make("span", text, label);
    });
  }

  function choice(part) {
    make("h2", part.question);
    const options = make("p", "");
    const answer = make("p", "");
    answer.setAttribute("role", "status");
    part.options.forEach((text, index) => {
      const option = button(text, options, () => {
        Array.from(options.children).forEach((other) => { other.disabled = true; });
        option.className = index === part.right ? "good" : "poor";
        options.children[part.right].className = "good";
        answer.textContent = part.answer;
      });
    });
  }

  // Any number has its course, and always the same one.
  function field(part) {
    const form = make("form", "");
    form.autocomplete = "off";
    const input = make("input", "", make("label", part.label, form));
    input.type = "text";
    input.autocomplete = "off";
    input.maxLength = 24;
    make("button", part.go, form).type = "submit";
    const problem = make("p", "");
    problem.setAttribute("role", "alert");
    const course = make("ul", "");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const number = input.value.toUpperCase().replace(/[^0-9A-Z]/g, "");
      const isOne = number.length >= 8 && number.length <= 16;
      problem.textContent = isOne ? "" : part.wrong;
      course.textContent = "";
      if (!isOne) return;
      const sum = Array.from(number).reduce((all, sign, index) => all + sign.charCodeAt(0) * (index + 1), 0);
      const done = 2 + (sum % (part.course.length - 1));
      part.course.slice(0, done).forEach((text, index) => {
        const at = new Date(Date.now() - ((done - index) * 7 + (sum % 5)) * 3600000 - (sum % 60) * 60000);
        const item = make("li", text);
        make("small", at.toLocaleString(locale, { weekday: "long", hour: "2-digit", minute: "2-digit" }), item);
        course.prepend(item);
      });
    });
  }

  const kinds = {
    heading: (part) => make("h2", part.text),
    text: (part) => make("p", part.text),
    amount, list, steps, choice, field,
  };
  place.textContent = "";
  place.lang = front.language;
  place.dir = front.dir;
  // As dull as the name whose place it takes, which says what this page is otherwise.
  make("p", location.hostname).className = "corner";
  const heading = make("h1", front.title);
  front.parts.forEach((part) => kinds[part.kind](part));
  return heading;
}
