// Whoever came here has already pressed "log out" in the application.
document.querySelector("button[name=logout]").click();
