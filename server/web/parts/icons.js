// Line icons, 24 by 24, drawn in the colour of the text beside them.
import { html } from "../html.js";

const PATHS = {
  chat: "M4 5h16v11H9l-5 4z M8 9h8 M8 12h5",
  dashboard: "M4 4h7v8H4z M13 4h7v5h-7z M13 11h7v9h-7z M4 14h7v6H4z",
  feedback: "M5 4h14v16H5z M8 8h8 M8 12h8 M8 16h5",
  themes: "M7 8a3 3 0 1 0 .01 0 M17 5a2 2 0 1 0 .01 0 M16 13a4 4 0 1 0 .01 0 M10 12l2.500 2 M10 9.500l5-1.500",
  alerts: "M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500H4.500z M10 21h4",
  tasks: "M5 5h14v14H5z M8.500 12l2.500 2.500 4.500-5",
  plans: "M4 19l5-6 4 3 7-10 M15 6h5v5",
  upload: "M12 15V4 M8 8l4-4 4 4 M4 15v5h16v-5",
  jobs: "M12 4a8 8 0 1 0 .01 0 M12 8v4.500l3 2",
  settings: "M4 7h9 M17 7h3 M15 5v4 M4 17h3 M11 17h9 M9 15v4 M4 12h4 M12 12h8 M10 10v4",
  more: "M5 12h.01 M12 12h.01 M19 12h.01",
  plus: "M12 5v14 M5 12h14",
  close: "M6 6l12 12 M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  up: "M5 15l7-7 7 7",
  send: "M12 20V5 M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  trash: "M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13",
  search: "M10.500 4a6.500 6.500 0 1 0 .01 0 M15.500 15.500L20 20",
  filter: "M4 6h16 M7 12h10 M10 18h4",
  table: "M4 5h16v14H4z M4 10h16 M10 10v9",
  chart: "M4 20h16 M7 16v-5 M12 16V6 M17 16v-8",
  sun: "M12 8a4 4 0 1 0 .01 0 M12 2v2 M12 20v2 M4 12H2 M22 12h-2 M5 5l1.500 1.500 M17.500 17.500L19 19 M5 19l1.500-1.500 M17.500 6.500L19 5",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  system: "M4 5h16v11H4z M9 20h6 M12 16v4",
  language: "M4 6h10 M9 4v2 M6 6c.5 4 3 7 7 8.500 M12 6c-.5 4-3 7-7 8.500 M12.500 20l4-9 4 9 M14 17h5",
  out: "M14 5H5v14h9 M10 12h10 M17 9l3 3-3 3",
  person: "M12 4a4 4 0 1 0 .01 0 M4.500 20c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500",
  warning: "M12 4l9 16H3z M12 10v4.500 M12 17.500h.01",
  info: "M12 3.500a8.500 8.500 0 1 0 .01 0 M12 11v5 M12 8h.01",
  file: "M6 3h8l4 4v14H6z M14 3v4h4",
  copy: "M9 9h11v11H9z M5 15H4V4h11v1",
  download: "M12 4v11 M8 11l4 4 4-4 M4 16v4h16v-4",
  refresh: "M19 12a7 7 0 1 1-2-5 M19 4v4h-4",
  link: "M10 14l4-4 M8 11l-2.500 2.500a3.500 3.500 0 0 0 5 5L13 16 M16 13l2.500-2.500a3.500 3.500 0 0 0-5-5L11 8",
  key: "M8 9a4.500 4.500 0 1 0 .01 0 M12 12.500L20 5 M17 8l2.500 2.500",
  pool: "M12 3.500a8.500 8.500 0 1 0 .01 0 M12 8.500a3.500 3.500 0 1 0 .01 0 M6 6l3.500 3.500 M18 6l-3.500 3.500 M6 18l3.500-3.500 M18 18l-3.500-3.500",
  surveys: "M6 5h12v15H6z M9 3.500h6v3H9z M9 11h6 M9 15h4",
  threads: "M5 6h14 M5 12h14 M5 18h9",
};

/** One of the icons above; nothing to a screen reader: what it stands for is said beside it. */
export function Icon({ name, size }) {
  return html`<svg width=${size || 18} height=${size || 18} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.700"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
}
