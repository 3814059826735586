// Every page, in the order of the navigation. `load` gives a module whose `Page` is shown with {args, query};
// `group` is where the navigation lists it, `role` who may see it.
export const PAGES = [
  { name: "chat", icon: "chat", group: "ask", load: () => import("./pages/chat.js") },
  { name: "dashboard", icon: "dashboard", group: "see", load: () => import("./pages/dashboard.js") },
  { name: "feedback", icon: "feedback", group: "see", load: () => import("./pages/feedback.js") },
  { name: "themes", icon: "themes", group: "see", load: () => import("./pages/themes.js") },
  { name: "customers", icon: "person", group: "see", load: () => import("./pages/customers.js") },
  { name: "report", icon: "file", group: "see", load: () => import("./pages/report.js") },
  { name: "alerts", icon: "alerts", group: "act", load: () => import("./pages/alerts.js") },
  { name: "tasks", icon: "tasks", group: "act", load: () => import("./pages/tasks.js") },
  { name: "pool", icon: "pool", group: "act", load: () => import("./pages/pool.js") },
  { name: "plans", icon: "plans", group: "act", load: () => import("./pages/plans.js") },
  { name: "surveys", icon: "surveys", group: "act", load: () => import("./pages/surveys.js") },
  { name: "upload", icon: "upload", group: "data", role: "analyst", load: () => import("./pages/upload.js") },
  { name: "jobs", icon: "jobs", group: "data", load: () => import("./pages/jobs.js") },
  { name: "settings", icon: "settings", group: "data", load: () => import("./pages/settings.js") },
  // Where clicks on figures lead; it is on no list.
  { name: "explore", icon: "search", load: () => import("./pages/explore.js") },
];
