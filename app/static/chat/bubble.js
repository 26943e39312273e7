// What the chat page builds of a message.

export function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

/** Make the item of one message; `own` is the name of whoever looks at it. */
export function bubble(own, user, text, sentAt) {
  const item = document.createElement("li");
  item.dataset.user = user;
  item.classList.toggle("own", user === own);
  const time = element("time", "", sentAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = sentAt.toISOString();
  item.append(element("span", "user", user), element("span", "text", text), time);
  return item;
}
