"""The Python package auth0-python, current major version."""

import json
import os
import unittest

import httpx
from auth0.authentication import GetToken
from auth0.management import ManagementClient
from auth0.management.errors import BadRequestError, NotFoundError

TENANT = json.loads(os.environ["SANDBOX"])["tenants"][2]
# The tenant has both names of this machine; the SDK makes https:// of a domain.
ADDRESS = TENANT["domain"].removeprefix("https://")
DOMAIN = ADDRESS.replace("127.0.0.1", "localhost")
CLIENTS = int(os.environ["CLIENTS"]) + 1
NOBODY = "0" * 32


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.management = ManagementClient(
            domain=DOMAIN, client_id=TENANT["client_id"], client_secret=TENANT["client_secret"]
        )

    def first(self):
        return next(iter(self.management.clients.list(per_page=1, is_global=False)))

    def test_all_pages_hold_each_client_once_and_the_total_says_how_many(self):
        pager = self.management.clients.list(per_page=10, include_totals=True, is_global=False)
        self.assertEqual(pager.response.total, CLIENTS)
        self.assertEqual(len({client.client_id for client in pager}), CLIENTS)

    def test_an_update_is_answered_with_the_whole_client_and_read_again_the_same(self):
        before = self.management.clients.get(self.first().client_id)
        answered = self.management.clients.update(
            before.client_id, description="by Python", callbacks=["https://python.example/cb"]
        )
        expected = before.model_dump() | {"description": "by Python", "callbacks": ["https://python.example/cb"]}
        self.assertEqual(answered.model_dump(), expected)
        self.assertEqual(self.management.clients.get(before.client_id).model_dump(), answered.model_dump())

    def test_a_refused_body_has_auth0s_status_code_and_message_and_changes_nothing(self):
        before = self.first()
        with self.assertRaises(BadRequestError) as refused:
            self.management.clients.update(before.client_id, name="a<b")
        self.assertEqual(refused.exception.status_code, 400)
        message = "Payload validation error: 'String does not match pattern ^[^<>]+$: a<b' on property name."
        self.assertEqual(refused.exception.body["errorCode"], "invalid_body")
        self.assertEqual(refused.exception.body["message"], message)
        self.assertEqual(self.management.clients.get(before.client_id).name, before.name)

    def test_a_client_that_is_not_there_is_a_not_found_error(self):
        for call in (self.management.clients.get, lambda id: self.management.clients.update(id, name="x")):
            with self.assertRaises(NotFoundError) as missing:
                call(NOBODY)
            self.assertEqual(missing.exception.body["errorCode"], "inexistent_client")

    def test_a_wrong_secret_is_refused(self):
        stranger = ManagementClient(domain=ADDRESS, client_id=TENANT["client_id"], client_secret="wrong")
        with self.assertRaises(httpx.HTTPStatusError) as refused:
            stranger.clients.list()
        self.assertEqual(refused.exception.response.status_code, 401)
        self.assertEqual(refused.exception.response.json()["error"], "access_denied")

    def test_a_token_of_the_authentication_part_works_as_well(self):
        issuer = GetToken(ADDRESS, TENANT["client_id"], client_secret=TENANT["client_secret"])
        token = issuer.client_credentials(audience=f"https://{ADDRESS}/api/v2/")["access_token"]
        ready = ManagementClient(domain=ADDRESS, token=token)
        self.assertEqual(len(list(ready.clients.list(is_global=False))), CLIENTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
