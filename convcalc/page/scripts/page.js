(()=>{var t=document.documentElement;t.classList.add("scripted");})();
