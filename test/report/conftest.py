from chromium import browser as browser
