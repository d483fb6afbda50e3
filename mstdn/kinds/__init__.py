"""
The kinds of value that a setting can have. The ground floor: it imports nothing of the components.

    text.py      plain words, and how a validator says no
    paths.py     files and directories
    network.py   hosts, addresses, URLs
    mail.py      mail servers, addresses, senders
    images.py    releases and images
    dotenv.py    NAME='value' lines
    part.py      the settings of one component
"""
