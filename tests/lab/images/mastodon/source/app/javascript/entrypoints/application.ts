const state = JSON.parse(document.getElementById('initial-state').textContent);
document.documentElement.dataset.version = state.meta.version;
