// The one place that names the rendering library's file.
export {
  h, html, render, Component, createContext, useState, useReducer, useEffect, useLayoutEffect, useRef, useMemo,
  useCallback, useContext, useErrorBoundary,
} from "./vendor/preact-htm.mjs";
