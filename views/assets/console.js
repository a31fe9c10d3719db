// On a phone the navigation is a sheet: a jump inside the page closes it, so that its target can be seen.
for (const link of document.querySelectorAll('.sidenav a[href^="#"]')) {
  link.addEventListener('click', () => {
    const sheet = link.closest('[popover]');
    if (sheet.matches(':popover-open')) sheet.hidePopover();
  });
}
