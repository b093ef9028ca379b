// The page's script.
const root = document.documentElement;
root.classList.add("scripted");
