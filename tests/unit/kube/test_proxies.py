"""Which proxy: as kubectl decides it."""

import pytest

from bot.kube.proxies import proxy_for

ENVIRON = {"HTTPS_PROXY": "proxy.test:3128", "NO_PROXY": "10.0.0.0/8, .inner.test,exact.test, 192.168.1.1"}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.test:6443", "http://proxy.test:3128"),
        ("http://api.test", ""),
        ("https://10.1.2.3:6443", ""),
        ("https://11.1.2.3:6443", "http://proxy.test:3128"),
        ("https://api.inner.test", ""),
        ("https://inner.test", "http://proxy.test:3128"),
        ("https://exact.test", ""),
        ("https://sub.exact.test", ""),
        ("https://inexact.test", "http://proxy.test:3128"),
        ("https://192.168.1.1", ""),
        ("https://127.0.0.1:6443", ""),
        ("https://localhost:6443", ""),
        ("https://[::1]:6443", ""),
    ],
)
def test_the_environment_s_proxy(url: str, proxy: str) -> None:
    assert proxy_for(url, ENVIRON) == proxy


def test_without_a_proxy_and_with_none_for_anybody() -> None:
    assert proxy_for("https://api.test", {}) == ""
    assert proxy_for("https://api.test", {"https_proxy": "http://p", "no_proxy": "*"}) == ""
    assert proxy_for("https://api.test", {"https_proxy": "http://p"}) == "http://p"
